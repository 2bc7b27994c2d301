use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::TcpListener,
    process::Command,
    time::Duration,
};

use crate::{
    rig::{ENDLESS, Rig},
    survival::no_metric_missing_or_doubled,
};

#[test]
fn a_job_file_with_mistakes_is_refused_with_every_line_of_them() {
    let rig = Rig::new();
    let job =
        "recipe = \"r1-mini\"\n[optimizer]\nlr = \"fast\"\n[rolout]\nx = 1\n[rollout]\nn-samples-per-prompt = -1\n";
    let said = rig.refused(&["up", "--headless", rig.write("bad.toml", job).to_str().unwrap()]);
    for wanted in ["bad.toml:3", "fast", "bad.toml:4", "rollout", "bad.toml:7", "-1"] {
        assert!(said.contains(wanted), "{wanted} is not in:\n{said}");
    }
    for (text, wanted) in [
        (&b""[..], "it is empty"),
        (b"\xff\xfe\x00", "not a text file"),
        (b"recipe = \"r1-mimi\"\n", "r1-mini"),
        (b"recipe = \"r1-mini\"\n[env]\nA = \"${NOWHERE}\"\n", "NOWHERE"),
    ] {
        let said = rig.refused(&["up", "--headless", rig.write("bad.toml", text).to_str().unwrap()]);
        assert!(said.contains(wanted), "{wanted} is not in:\n{said}");
    }
    let said = rig.refused(&["up", "--headless", "/nowhere/job.toml"]);
    assert!(said.contains("/nowhere/job.toml: No such file"), "{said}");
}

#[test]
fn a_busy_port_is_named_and_two_controllers_never_run() {
    let mut rig = Rig::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = rig.refused(&["agent", "--controller", "--listen", &address]);
    assert!(
        said.contains(&address) && said.contains("taken by another program") && said.contains("--listen"),
        "{said}"
    );
    let said = rig.refused(&["agent", "--controller", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("name the one address"), "{said}");
    rig.up(ENDLESS);
    let said = rig.refused(&["agent", "--controller", "--node", "other"]);
    assert!(said.contains("a controller runs in"), "{said}");
    let said = rig.refused(&["agent", "--node", "node1"]);
    assert!(said.contains("an agent `node1` runs in"), "{said}");
}

#[test]
fn without_a_controller_each_command_says_so() {
    let rig = Rig::new();
    for command in [&["status"][..], &["stop"], &["restart"], &["tune", "lr=1"], &["logs"], &["attach"], &["down"]] {
        let said = rig.refused(command);
        assert!(said.contains("no controller runs in") && said.contains("`rldeck` starts one"), "{command:?}: {said}");
    }
}

#[test]
fn corrupt_events_and_a_line_of_a_megabyte_are_counted_and_carried() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let trainer = rig.run_dir().join("attempt-1/trainer");
    let append = |name: &str, data: &[u8]| {
        OpenOptions::new().append(true).open(trainer.join(name)).unwrap().write_all(data).unwrap();
    };
    append(
        "events.jsonl",
        b"{\"at\":1,\"kind\":\"metr\n\xff\xfe not json at all\n{\"at\":1,\"kind\":\"unheard-of\"}\n",
    );
    append("out.log", &[&vec![b'x'; 1 << 20][..], b" end of the long line\n\x1b[31mred\x07\n"].concat());
    rig.rollouts(3);
    let dropped = rig.status()["dropped"].to_string();
    assert!(dropped.contains("trainer: event lines that cannot be read\":3"), "{dropped}");
    let printed = rig.ok(&["logs", "trainer"]);
    assert!(
        printed.lines().any(|line| line.len() > 1 << 20 && line.ends_with("end of the long line")),
        "whole, from the file"
    );
    assert_eq!(rig.status()["state"], "running");
}

#[test]
fn a_truncated_checkpoint_is_passed_over_for_the_one_before() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    rig.rollouts(12);
    rig.ok(&["stop"]);
    let saved = rig.run_dir().join("checkpoints");
    let latest = fs::read_to_string(saved.join("latest_checkpointed_iteration.txt")).unwrap();
    let latest: u64 = latest.trim().parse().unwrap();
    let weights = saved.join(format!("iter_{latest:07}")).join("model.safetensors");
    let half = fs::metadata(&weights).unwrap().len() / 2;
    OpenOptions::new().write(true).open(&weights).unwrap().set_len(half).unwrap();
    rig.ok(&["launch"]);
    rig.rollouts(1);
    let journal = fs::read_to_string(rig.run_dir().join("journal.jsonl")).unwrap();
    let notice =
        journal.lines().find(|line| line.contains("\"notice\"") && line.contains(&format!("iter_{latest:07}")));
    println!("{}", notice.expect("the trainer names the checkpoint that cannot be read"));
    assert_eq!(rig.status()["state"], "running");
}

#[test]
fn a_full_disk_stops_saving_not_training_and_nothing_saved_is_lost() {
    let mut rig = Rig::new();
    // A disk of its own, small. Without the right to mount there is nothing to test.
    let disk = rig.home().join("runs");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"]).arg(&disk).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return println!("skipped: no right to mount a small disk");
    }
    let _unmount = Unmount(disk.clone());
    rig.up(ENDLESS);
    let filler = disk.join("filler");
    let _ = Command::new("dd").args(["if=/dev/zero", "bs=64k", &format!("of={}", filler.display())]).output();
    rig.until("the run says that the disk is full", Duration::from_secs(30), |rig| {
        rig.status()["alerts"].to_string().contains("No space left").then_some(())
    });
    // Long enough for a save to fail. The trainer trains on all the same.
    std::thread::sleep(Duration::from_secs(3));
    let saved = rig.status()["checkpoint"].as_u64();
    fs::remove_file(&filler).unwrap();
    rig.until("it saves again", Duration::from_secs(60), |rig| {
        (rig.status()["checkpoint"].as_u64() > saved).then_some(())
    });
    let journal = fs::read_to_string(rig.run_dir().join("journal.jsonl")).unwrap();
    let notice = journal.lines().find(|line| line.contains("cannot save") && line.contains("No space left"));
    println!("{}", notice.expect("the trainer says, as soon as it can, that it could not save"));
    rig.until("the alert of the full disk goes", Duration::from_secs(5), |rig| {
        (!rig.status()["alerts"].to_string().contains("the controller cannot write")).then_some(())
    });
    assert_eq!((&rig.status()["state"], &rig.status()["attempt"]), (&"running".into(), &1.into()));
    rig.ok(&["restart"]);
    rig.rollouts(2);
    rig.ok(&["stop"]);
    no_metric_missing_or_doubled(&rig);
    rig.ok(&["down", "--stop"]);
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
