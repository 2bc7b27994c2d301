//! `rldeck up` on several hosts: network namespaces with their own sshd, processes and `/root`. Needs root, `ip` and `sshd`;
//! says so and passes where they are missing.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::rig::{RLDECK, Rig};

/// Hosts besides the controller's own.
const HOSTS: usize = 3;

/// node0 is 10.78.0.1 in `rt0`; host n is 10.78.0.(n+1) in `rtn`.
struct Hosts {
    rig: Rig,
    dir: PathBuf,
    servers: Vec<Child>,
}

fn sh(script: &str) -> Output {
    let output = Command::new("bash").args(["-euc", script]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

impl Hosts {
    fn new() -> Option<Hosts> {
        let able = "[ $(id -u) = 0 ] && [ -x /usr/sbin/sshd ] && ip netns add rtx && ip netns del rtx";
        if !Command::new("bash").args(["-c", able]).stderr(Stdio::null()).status().unwrap().success() {
            println!("skipped: needs root, network namespaces and /usr/sbin/sshd");
            return None;
        }
        let rig = Rig::cold();
        let dir = PathBuf::from(format!("/srv/rldeck-rt-{}", std::process::id()));
        let d = dir.display();
        sh(&format!(
            "mkdir -p {d} /run/sshd; ip link add rtbr type bridge; ip link set rtbr up
            for i in $(seq 0 {HOSTS}); do
              ip netns add rt$i; ip link add rtv$i type veth peer name eth0 netns rt$i
              ip link set rtv$i master rtbr up; ip -n rt$i addr add 10.78.0.$((i+1))/24 dev eth0
              ip -n rt$i link set eth0 up; ip -n rt$i link set lo up
              mkdir -p {d}/$i/root; ssh-keygen -q -t ed25519 -N '' -f {d}/$i/hostkey
              printf 'Port 2222\\nListenAddress 10.78.0.%d\\nHostKey {d}/%d/hostkey\\nAuthorizedKeysFile {d}/%d/authorized\\n' \
                $((i+1)) $i $i > {d}/$i/sshd_config
              printf 'PasswordAuthentication no\\nUsePAM no\\nStrictModes no\\nPidFile none\\n' >> {d}/$i/sshd_config
            done
            ssh-keygen -q -t ed25519 -N '' -f {d}/id
            printf 'Port 2222\\nUser root\\nIdentityFile {d}/id\\nIdentitiesOnly yes\\n' > {d}/ssh_config
            printf 'UserKnownHostsFile {d}/known_hosts\\nGlobalKnownHostsFile /dev/null\\n' >> {d}/ssh_config"
        ));
        let servers = (1..=HOSTS).map(|i| {
            let script = format!(
                "hostname rt{i}; mount --bind {d}/{i}/root /root; exec /usr/sbin/sshd -D -e -f {d}/{i}/sshd_config"
            );
            let mut server = Command::new("nsenter");
            server.arg(format!("--net=/run/netns/rt{i}")).args(["unshare", "--pid", "--fork", "--kill-child"]);
            server.args(["--mount", "--uts", "--ipc", "--mount-proc", "bash", "-c", &script]);
            server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        });
        Some(Hosts { servers: servers.collect(), dir, rig })
    }

    /// Whom the hosts let in, and whom we know.
    fn keys(&self, known: &str, authorized: &str) {
        let d = self.dir.display();
        sh(&format!(
            "cd {d}; {authorized}; : > known_hosts
            know() {{ echo \"[10.78.0.$(($1+1))]:2222 $(cut -d' ' -f1,2 $2.pub)\" >> known_hosts; }}; {known}"
        ));
    }

    fn job(&self, hosts: &str) -> PathBuf {
        self.rig.write("hosts", hosts);
        self.rig.write(
            "job.toml",
            "engine = \"slime\"\n[cluster]\nhostfile = \"hosts\"\n[rollout]\nnum-rollout = 3\nrollout-batch-size = 4\n\
            [checkpoint]\nhf-checkpoint = \"/m\"\n",
        )
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", "rt0", program]).env("RLDECK_HOME", self.rig.home()).stdin(Stdio::null());
        command
    }

    /// Brings hosts up; whether all went well, and what was said.
    fn up(&self, hosts: &str) -> (bool, String) {
        let job = self.job(hosts);
        let mut up = self.command(RLDECK);
        up.arg("up").arg(job).arg("--no-launch").arg("--ssh-config").arg(self.dir.join("ssh_config"));
        let output = up.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    fn ssh(&self, host: &str, command: &str) -> String {
        let mut ssh = self.command("ssh");
        let output = ssh.arg("-F").arg(self.dir.join("ssh_config")).args([host, command]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The connected agents.
    fn agents(&self) -> Vec<(String, u64)> {
        let status = self.rig.status();
        let nodes = status["nodes"].as_array().unwrap().iter().filter(|node| node["connected"] == true);
        nodes.map(|node| (node["name"].as_str().unwrap().to_owned(), node["pid"].as_u64().unwrap())).collect()
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let _ = self.rig.output(&["down"]);
        for server in &mut self.servers {
            // Its namespace of processes ends with it.
            let _ = server.kill();
            let _ = server.wait();
        }
        let all = format!("for i in $(seq 0 {HOSTS}); do ip netns del rt$i; done; ip link del rtbr");
        let _ = Command::new("bash").args(["-c", &all]).status();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn line<'a>(said: &'a str, host: &str) -> &'a str {
    said.lines().find(|line| line.starts_with(&format!("{host}  "))).unwrap_or_else(|| panic!("{host}: {said}"))
}

#[test]
fn hosts_are_brought_up_over_ssh_and_each_one_that_fails_says_why() {
    let Some(hosts) = Hosts::new() else { return };
    let all = "10.78.0.1 slots=8\n10.78.0.2 slots=8\n10.78.0.3 slots=8\n10.78.0.4 slots=8\n";
    hosts.keys(
        "know 1 1/hostkey; know 2 id; know 3 3/hostkey",
        "cp id.pub 1/authorized; cp id.pub 2/authorized; cp 1/hostkey.pub 3/authorized",
    );
    let (well, said) = hosts.up(&format!("{all}10.78.0.99 slots=8\n"));
    assert!(!well, "{said}");
    assert!(line(&said, "10.78.0.1").ends_with("joined (this machine)"), "{said}");
    assert!(line(&said, "10.78.0.2").contains("installed, enrolled, started, joined"), "{said}");
    assert!(
        line(&said, "10.78.0.3").contains("FAILED to reach: its host key is not the one that known_hosts"),
        "{said}"
    );
    assert!(line(&said, "10.78.0.4").contains("FAILED to reach: it does not let us in"), "{said}");
    assert!(line(&said, "10.78.0.99").contains("FAILED to reach: no way leads there"), "{said}");
    assert!(said.contains("3 of the hosts did not join: 10.78.0.3, 10.78.0.4, 10.78.0.99"), "{said}");

    // Nobody has vouched for one yet; the others are put right.
    hosts.keys("know 1 1/hostkey; know 3 3/hostkey", "cp id.pub 3/authorized");
    let (_, said) = hosts.up(all);
    assert!(line(&said, "10.78.0.3").contains("FAILED to reach: its host key is not known here"), "{said}");
    assert!(line(&said, "10.78.0.2").contains("there already"), "{said}");
    hosts.keys("know 1 1/hostkey; know 2 2/hostkey; know 3 3/hostkey", "true");
    let (well, said) = hosts.up(all);
    assert!(well, "{said}");
    let agents = hosts.agents();
    assert_eq!(agents.len(), 4, "{agents:?}");

    let begun = Instant::now();
    let (well, said) = hosts.up(all);
    println!("again: {:?}", begun.elapsed());
    assert!(well && said.matches("there already").count() == 3, "{said}");
    assert_eq!(hosts.agents(), agents, "the second time nothing is done");

    // Keys lie where they were made, for their owner alone.
    let listed = hosts.ssh("10.78.0.2", "find .local/state/rldeck -type f -perm /077 -name '*.json'; umask; hostname");
    assert_eq!(listed, "0022\nrt1\n", "no file of it is open to others");
    let ours = fs::read_dir(hosts.rig.home().join("identity")).unwrap().count();
    assert_eq!(ours, 3, "the authority, its lock and what Ray asks of everybody: no agent's key");

    // An agent far away heals under its keeper, and knows nothing of the session that started it.
    let before = agents.iter().find(|(name, _)| name == "10.78.0.2").unwrap().1;
    hosts.ssh("10.78.0.2", &format!("kill -9 {before}"));
    let after = hosts.rig.until("the agent is back", Duration::from_secs(2), |_| {
        hosts.agents().into_iter().find(|(name, pid)| name == "10.78.0.2" && *pid != before)
    });
    let environ = hosts.ssh("10.78.0.2", &format!("tr '\\0' '\\n' < /proc/{}/environ", after.1));
    assert!(environ.contains("RLDECK_HOME") && !environ.contains("SSH_"), "{environ}");

    // So does the controller: all come back to the same address.
    let controller = agents.iter().find(|(name, _)| name == "10.78.0.1").unwrap().1;
    crate::rig::signal(controller as u32, "-9");
    hosts.rig.until("all are back", Duration::from_secs(3), |rig| {
        let up = rig.output(&["status", "--json"]).status.success();
        (up && hosts.agents().len() == 4).then_some(())
    });
    hosts.rig.ok(&["down"]);
    let left = Instant::now();
    while hosts.ssh("10.78.0.2", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").contains("rldeck keep") {
        assert!(left.elapsed() < Duration::from_secs(3), "the agents end with their controller");
    }
}

#[test]
fn a_list_of_hosts_that_cannot_be_read_starts_nothing() {
    let rig = Rig::cold();
    let job = "engine = \"slime\"\n[cluster]\nhostfile = \"hosts\"\n[rollout]\nnum-rollout = 3\nrollout-batch-size = 4\n\
        [checkpoint]\nhf-checkpoint = \"/m\"\n";
    let job = rig.write("job.toml", job).display().to_string();
    assert!(rig.refused(&["up", &job]).contains("hosts: No such file"), "the hostfile is missing");
    let hosts = rig.write("hosts", "10.78.1.1 slots=8\n10.78.1.2 slots=eight\n");
    let refused = rig.refused(&["up", &job]);
    assert!(refused.contains(&format!("{}:2: error: `eight` is no number of slots", hosts.display())), "{refused}");
    rig.write("hosts", "10.78.1.1 slots=8\n10.78.1.2 slots=4\n");
    assert!(rig.refused(&["up", &job]).contains("10.78.1.2 has slots=4, the job counts on gpus-per-node = 8"));
    rig.write("hosts", "10.78.1.1 slots=8\n");
    let refused = rig.refused(&["up", &job, "--listen", "192.0.2.1"]);
    assert!(refused.contains("192.0.2.1 is no address of this machine"), "{refused}");
    let refused = rig.refused(&["up", &job, "--listen", "0.0.0.0:7000"]);
    assert!(refused.contains("will not listen on 0.0.0.0:7000"), "{refused}");
    assert!(!rig.home().join("controller.json").exists());
}
