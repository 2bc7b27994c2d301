use std::{fs, path::Path, process::Command};

use crate::rig::tools::run;

/// `ip netns` keeps names here.
const NAMES: &str = "/run/netns";

/// The network: a bridge in a namespace of its own, one more for the console and for each host.
pub(super) struct Net {
    tag: String,
    count: usize,
}

impl Net {
    pub(super) fn new(tag: &str, count: usize) -> Result<Net, String> {
        let net = Net { tag: tag.to_owned(), count };
        let switch = net.name("sw");
        ip(&["netns", "add", &switch])?;
        ip(&["-n", &switch, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0"])?;
        ip(&["-n", &switch, "link", "set", "br0", "up"])?;
        net.join("console", "10.77.0.1")?;
        for index in 0..count {
            net.join(&index.to_string(), &super::address(index))?;
            // Leads nowhere, but programs look at it to learn their own address.
            ip(&["-n", &net.name(&index.to_string()), "route", "add", "default", "via", "10.77.0.1"])?;
        }
        Ok(net)
    }

    /// A namespace with one address, plugged into the bridge.
    fn join(&self, who: &str, address: &str) -> Result<(), String> {
        let (switch, name, port) = (self.name("sw"), self.name(who), format!("p{who}"));
        ip(&["netns", "add", &name])?;
        ip(&["-n", &switch, "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &name])?;
        ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"])?;
        ip(&["-n", &name, "addr", "add", &format!("{address}/24"), "dev", "eth0"])?;
        ip(&["-n", &name, "link", "set", "lo", "up"])?;
        ip(&["-n", &name, "link", "set", "eth0", "up"])
    }

    fn name(&self, who: &str) -> String {
        format!("{}{who}", self.tag)
    }

    pub(super) fn console_command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={NAMES}/{}", self.name("console"))).arg("--").arg(program);
        command
    }

    pub(super) fn link(&self, index: usize, up: bool) {
        let state = if up { "up" } else { "down" };
        ip(&["-n", &self.name("sw"), "link", "set", &format!("p{index}"), state]).unwrap();
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let hosts = (0..self.count).map(|index| index.to_string());
        for who in hosts.chain(["console".to_owned(), "sw".to_owned()]) {
            remove(&self.name(&who));
        }
    }
}

/// Ends what runs in a network namespace of ours, and the namespace.
fn remove(name: &str) {
    for pid in run("ip", &["netns", "pids", name]).unwrap_or_default().split_whitespace() {
        let _ = run("kill", &["-9", pid]);
    }
    let _ = run("ip", &["netns", "delete", name]);
}

/// Takes away what tests have left that were killed themselves: the name says which process made it.
pub(super) fn sweep() {
    let Ok(names) = fs::read_dir(NAMES) else { return };
    for name in names.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let maker = name.strip_prefix("rl").and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
        if maker.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            remove(&name);
        }
    }
}

fn ip(args: &[&str]) -> Result<(), String> {
    run("ip", args).map(drop)
}
