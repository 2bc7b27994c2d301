use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::rig::{Hosts, turn};

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn hosts_are_apart_reached_by_ssh_cut_off_and_leave_nothing_behind() {
    let _turn = turn();
    let begun = Instant::now();
    let hosts = match Hosts::new(2) {
        Ok(hosts) => hosts,
        Err(skip) => return eprintln!("skipped: {skip}"),
    };
    println!("2 hosts after {:?}", begun.elapsed());
    for index in 0..2 {
        assert_eq!(said(&mut hosts.ssh(index, "hostname")), format!("node{index}"));
        let line =
            format!("echo {index} | tee /tmp/mine > /root/mine; setsid sleep 100 < /dev/null > /dev/null 2>&1 &");
        said(&mut hosts.ssh(index, &line));
    }
    for index in 0..2 {
        assert_eq!(said(&mut hosts.on(index, &["cat", "/tmp/mine", "/root/mine"])), format!("{index}\n{index}"));
        // Its processes are its own, and the first of them is its sshd.
        assert!(said(&mut hosts.on(index, &["cat", "/proc/1/cmdline"])).starts_with("sshd: /usr/sbin/sshd"));
    }
    assert!(!Path::new("/root/mine").exists());
    // A cgroup of a host can be divided inside the host, by what came in through ssh as well.
    if let Some(cgroup) = hosts.cgroup(1) {
        let line = format!("mkdir {0}/one && echo 0 > {0}/one/cgroup.procs && cat /proc/self/cgroup", cgroup.display());
        let own = format!("{}/one", cgroup.file_name().unwrap().display());
        assert!(said(&mut hosts.ssh(1, &line)).contains(&own));
    }
    let from_0_to_1 = format!("ssh -F {} node1 hostname", hosts.ssh_config().display());
    assert_eq!(said(&mut hosts.ssh(0, &from_0_to_1)), "node1");

    hosts.cut_link(1);
    let mut quick = hosts.console_command("timeout");
    quick.args(["1", "bash", "-c", &format!("exec 3<>/dev/tcp/{}/2222", hosts.address(1))]);
    assert!(!quick.output().unwrap().status.success(), "the link is cut");
    assert_eq!(said(&mut hosts.ssh(0, "hostname")), "node0");
    hosts.restore_link(1);
    assert_eq!(said(&mut hosts.ssh(1, "hostname")), "node1");

    let stray = hosts.console_command("sleep").arg("100").spawn();
    let (dir, cgroups) = (hosts.shared().to_owned(), [0, 1].map(|index| hosts.cgroup(index).map(Path::to_owned)));
    let begun = Instant::now();
    drop(hosts);
    println!("gone after {:?}", begun.elapsed());
    assert!(!dir.exists());
    assert!(cgroups.iter().flatten().all(|cgroup| !cgroup.exists()));
    let ours = format!("rl{}-", std::process::id());
    let names = fs::read_dir("/run/netns").unwrap().flatten();
    assert_eq!(names.filter(|name| name.file_name().to_string_lossy().starts_with(&ours)).count(), 0);
    assert!(!stray.unwrap().wait().unwrap().success(), "what ran in the console's network is ended too");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(naming(&dir), Vec::<String>::new());
}

/// Command lines of processes that have to do with this directory.
fn naming(dir: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(dir.to_str().unwrap())).collect()
}
