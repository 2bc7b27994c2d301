use super::*;
use crate::{argument::Given, config::Config};

fn layout() -> Layout {
    Layout::new(&Config::new(&Given::default()).unwrap().shape)
}

fn checkpoint(layout: &Layout, rollout: u64) -> Checkpoint {
    let weights = layout.birth(rollout);
    let moments = (weights.iter().map(|x| x * 0.5).collect(), weights.iter().map(|x| x * x).collect());
    Checkpoint { progress: Progress { rollout, step: 2 * rollout, position: 30 * rollout }, weights, moments }
}

type Loaded = Result<Option<(Checkpoint, PathBuf)>, String>;

fn load_all(root: &Path, layout: &Layout) -> (Loaded, Vec<String>) {
    let mut complaints = Vec::new();
    (load(root, layout, |complaint| complaints.push(complaint)), complaints)
}

#[test]
fn what_is_saved_comes_back_and_old_ones_go() {
    let (dir, layout) = (tempfile::tempdir().unwrap(), layout());
    assert!(load(dir.path(), &layout, |_| panic!()).unwrap().is_none());
    fs::create_dir_all(dir.path().join("iter_0000001")).unwrap();
    for rollout in [19, 39, 59, 79, 79] {
        let saved = save(dir.path(), &layout, &checkpoint(&layout, rollout)).unwrap();
        assert_eq!(saved.path, dir.path().join(format!("iter_{rollout:07}")));
    }
    let (loaded, complaints) = load_all(dir.path(), &layout);
    assert_eq!(loaded.unwrap().unwrap().0, checkpoint(&layout, 79));
    assert!(complaints.is_empty());
    assert_eq!(ours(dir.path()).iter().map(|(rollout, _)| *rollout).collect::<Vec<_>>(), [39, 59, 79]);
    assert!(dir.path().join("iter_0000001").exists(), "what we did not write stays");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5, "nothing lies about");
}

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    for name in [model::WEIGHTS, OPTIMIZER, STATE] {
        for damage in [
            |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
            |bytes: &mut Vec<u8>| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            },
        ] {
            let (dir, layout) = (tempfile::tempdir().unwrap(), layout());
            save(dir.path(), &layout, &checkpoint(&layout, 19)).unwrap();
            let saved = save(dir.path(), &layout, &checkpoint(&layout, 39)).unwrap();
            let mut bytes = fs::read(saved.path.join(name)).unwrap();
            damage(&mut bytes);
            // A flipped bit inside the state's text may leave it readable, but then it does not fit the files.
            fs::write(saved.path.join(name), bytes).unwrap();
            let (loaded, complaints) = load_all(dir.path(), &layout);
            assert_eq!(loaded.unwrap().unwrap().0, checkpoint(&layout, 19), "{name}");
            assert!(complaints[0].contains("iter_0000039"), "{complaints:?}");
        }
    }
}

#[test]
fn nothing_complete_is_an_error_not_a_fresh_start() {
    let (dir, layout) = (tempfile::tempdir().unwrap(), layout());
    fs::write(dir.path().join(LATEST), "39").unwrap();
    let (loaded, complaints) = load_all(dir.path(), &layout);
    assert!(loaded.unwrap_err().contains("no complete checkpoint"));
    assert!(complaints[0].contains("\"39\", which is not there"));
}

#[test]
fn a_failed_save_leaves_nothing_and_the_one_before() {
    let (dir, layout) = (tempfile::tempdir().unwrap(), layout());
    save(dir.path(), &layout, &checkpoint(&layout, 19)).unwrap();
    // A file where the partial directory has to stand.
    fs::write(dir.path().join(".iter_0000039.partial"), "").unwrap();
    assert!(save(dir.path(), &layout, &checkpoint(&layout, 39)).is_err());
    assert_eq!(load_all(dir.path(), &layout).0.unwrap().unwrap().0, checkpoint(&layout, 19));
}
