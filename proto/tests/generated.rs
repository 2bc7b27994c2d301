//! The generated code in `src/wire.rs` is what the `.proto` file gives. `RLDECK_BLESS=1 cargo test -p rldeck-proto` writes it anew.

use std::{fs, path::Path};

#[test]
fn generated_code_is_current() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto = here.join("proto/rldeck.proto");
    let out = tempfile::tempdir().unwrap();
    let files = protox::compile([&proto], [here.join("proto")]).unwrap();
    tonic_prost_build::configure().btree_map(".").out_dir(out.path()).compile_fds(files).unwrap();
    let fresh = fs::read_to_string(out.path().join("rldeck.v1.rs")).unwrap();
    let kept = here.join("src/wire.rs");
    if std::env::var_os("RLDECK_BLESS").is_some() {
        fs::write(&kept, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&kept).unwrap_or_default();
    assert!(
        kept == fresh,
        "src/wire.rs differs from proto/rldeck.proto; run RLDECK_BLESS=1 cargo test -p rldeck-proto"
    );
}
