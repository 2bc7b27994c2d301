//! The controller on this machine and agents on all hosts of a job, started over ssh where they are not there.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
};

use clap::Args;
use rldeck_agent::{
    bootstrap::{self, Binary, Bootstrap, Connected, Event, Ssh, Stage, Step, Trouble},
    detach,
    home::Home,
    identity::{Authority, may_listen_with_tls},
};
use rldeck_core::{
    finding::{Finding, Place},
    host::{self, Host},
    job::{Cluster, Engine, Job},
    shard::Severity,
};
use tokio::{
    net::lookup_host,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{Failure, local, say};
use crate::link::Client;

/// Where the controller listens when nothing else is said: one port to open in a firewall, out of the range that Ray and
/// the kernel take ports from.
const PORT: u16 = 7431;
/// The agent beside the controller joins within this time; when another one is there, it never will.
const BESIDE: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Debug, Default, Args)]
pub(super) struct Options {
    /// Where the agents of other hosts reach the controller [default: this machine's address on their network, port 7431]
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    listen: Option<String>,
    /// A configuration for ssh instead of your own
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// Where rldeck keeps its files on other hosts, there [default: ~/.local/state/rldeck]
    #[arg(long, value_name = "DIR")]
    remote_home: Option<String>,
    /// Launch on the hosts that joined when some did not
    #[arg(long)]
    without_missing: bool,
    /// Bring the hosts up, and launch nothing
    #[arg(long)]
    pub(super) no_launch: bool,
}

/// The hosts of a job that names some; `None` for a job of this machine alone, and for one that the controller will refuse.
pub(super) fn hosts(
    text: &str,
    file: &str,
    vars: &BTreeMap<String, String>,
) -> Result<Option<(Cluster, Vec<Host>)>, Failure> {
    // What the controller gives is not known here, and names no host.
    let variable = |name: &str| match name {
        "RUN_DIR" | "CACHE" => Some(String::new()),
        _ => vars.get(name).cloned(),
    };
    let Ok((job, _)) = Job::read(text, file, &variable) else { return Ok(None) };
    let cluster = job.cluster;
    let hosts = match &cluster.hostfile {
        _ if job.engine != Engine::Slime => return Ok(None),
        Some(path) => {
            let path = beside(file, path);
            let text = fs::read_to_string(&path).map_err(|error| format!("hostfile {}: {error}", path.display()))?;
            host::read(&text, &path.display().to_string())
        }
        None if cluster.hosts.is_empty() => return Ok(None),
        None => host::list(&cluster.hosts, &Place::new(file, 1)),
    };
    let hosts = hosts.map_err(|findings| lines(&findings))?;
    let findings = host::check_slots(&hosts, cluster.gpus_per_node);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(lines(&findings));
    }
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    Ok(Some((cluster, hosts)))
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// A path in a job file is meant from where the file lies.
pub(super) fn beside(file: &str, path: &str) -> PathBuf {
    Path::new(file).parent().unwrap_or(Path::new("")).join(path)
}

/// Connects to the controller of this machine, with agents on all hosts; starts what is not there, and prints one line a host.
/// With it the names of those that joined, in the order of the list.
pub(super) async fn ensure(
    home: &Home,
    cluster: &Cluster,
    hosts: Vec<Host>,
    options: &Options,
) -> Result<(Client, Vec<String>), Failure> {
    let mut names: Vec<String> = hosts.iter().map(|host| host.name.clone()).collect();
    let mut here = Vec::new();
    let mut there = Vec::new();
    for host in hosts {
        match is_here(&host.name).await {
            true => here.push(host),
            false => there.push(host),
        }
    }
    if let [first, second, ..] = &here[..] {
        return Err(format!("{} and {} are both this machine: keep one of them", first.name, second.name));
    }
    let node = here.first().map_or_else(|| own_name(&there), |host| host.name.clone());
    let listen = match there.first() {
        None => None,
        Some(first) => Some(address(options.listen.as_ref().or(cluster.address.as_ref()), here.first(), first).await?),
    };
    let mut client = controller(home, &node, listen).await?;
    if let Some(host) = here.first() {
        beside_controller(home, &mut client, &host.name).await?;
        say(format!("{}  joined (this machine)", host.name));
    }
    let Some(listen) = listen else { return Ok((client, names)) };
    let failed = bring_up(home, cluster, there, options, listen, &client).await?;
    if failed.is_empty() || options.without_missing {
        names.retain(|name| !failed.contains_key(name));
        return Ok((client, names));
    }
    let all = failed.len();
    let names = failed.into_keys().collect::<Vec<_>>().join(", ");
    Err(format!(
        "{all} of the hosts did not join: {names}\nput right what is said above and repeat the command, or launch without them: --without-missing"
    ))
}

async fn bring_up(
    home: &Home,
    cluster: &Cluster,
    hosts: Vec<Host>,
    options: &Options,
    listen: SocketAddr,
    client: &Client,
) -> Result<BTreeMap<String, Trouble>, Failure> {
    let config = options.ssh_config.clone().or_else(|| cluster.ssh.config.as_ref().map(PathBuf::from));
    let binary = tokio::task::spawn_blocking(Binary::own).await.map_err(|error| error.to_string())?;
    let bootstrap = Bootstrap {
        ssh: Ssh { config, user: cluster.ssh.user.clone(), port: cluster.ssh.port },
        home: options.remote_home.clone(),
        authority: Authority::open(home)?,
        controllers: vec![listen],
        binary: binary.map_err(|error| format!("our own binary cannot be read: {error}"))?,
    };
    let (connected, follower) = follow(client.clone()).await?;
    let (sender, mut events) = mpsc::channel(64);
    let running = tokio::spawn(bootstrap::run(bootstrap, hosts, connected, sender));
    let (begun, mut done) = (Instant::now(), BTreeMap::<String, Vec<&str>>::new());
    while let Some(event) = events.recv().await {
        if let Some(line) = line(&mut done, event) {
            say(format!("{line} ({:.1} s)", begun.elapsed().as_secs_f32()));
        }
    }
    follower.abort();
    let results = running.await.map_err(|error| error.to_string())?;
    Ok(results.into_iter().filter_map(|(host, result)| Some((host, result.err()?))).collect())
}

/// One line a host, when nothing more will come of it.
fn line(done: &mut BTreeMap<String, Vec<&'static str>>, event: Event) -> Option<String> {
    let Event { host, stage, step } = event;
    match step {
        Step::Begun => None,
        Step::Done(what) if stage == Stage::Join => {
            let before = done.remove(&host).unwrap_or_default();
            let before = before.into_iter().filter(|what| *what != "reached").chain([what]).collect::<Vec<_>>();
            Some(format!("{host}  {}", before.join(", ")))
        }
        Step::Done(what) => {
            done.entry(host).or_default().push(what);
            None
        }
        Step::Failed(trouble) => Some(format!("{host}  FAILED to {}: {trouble}", stage.name())),
    }
}

/// Which nodes are connected, from now on.
async fn follow(mut client: Client) -> Result<(watch::Receiver<Connected>, JoinHandle<()>), Failure> {
    let mut deck = rldeck_core::deck::Deck::default();
    let mut stream = client.watch(0, 0).await?;
    stream.take_whole(&mut deck).await?;
    let connected = |deck: &rldeck_core::deck::Deck| -> Connected {
        let nodes = deck.nodes.values().filter(|node| node.connected);
        nodes.map(|node| (node.name.clone(), node.pid)).collect()
    };
    let (sender, receiver) = watch::channel(connected(&deck));
    let follower = tokio::spawn(async move {
        while stream.take_whole(&mut deck).await.is_ok() {
            let now = connected(&deck);
            sender.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
        }
    });
    Ok((receiver, follower))
}

/// The controller, listening there: one that does not is replaced, unless a run would lose its controller by it.
async fn controller(home: &Home, node: &str, listen: Option<SocketAddr>) -> Result<Client, Failure> {
    if let Ok(mut client) = Client::connect(home).await {
        let listens = home.contact().map(|contact| contact.tls).unwrap_or_default();
        let Some(listen) = listen.filter(|listen| !listens.contains(listen)) else { return Ok(client) };
        let run = client.deck().await?.run;
        if run.state.alive() {
            return Err(format!(
                "the controller does not listen on {listen}, and run {} is {}; stop it first",
                run.id,
                run.state.name()
            ));
        }
        client.shut_down().await?;
        let end = Instant::now() + local::PATIENCE;
        while home.contact_file().exists() || Client::connect(home).await.is_ok() {
            if Instant::now() > end {
                return Err("the controller of this machine does not end; `rldeck down` ends it".to_owned());
            }
            sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    // A keeper would try again and again, and the operator would look for the reason in a log.
    if let Some(listen) = listen {
        TcpListener::bind(listen)
            .map_err(|error| format!("cannot listen on {listen}: {error}; give another port with --listen"))?;
    }
    let listen = listen.map(|listen| listen.to_string());
    let more: Vec<&str> = listen.iter().flat_map(|listen| ["--listen", listen]).collect();
    detach::spawn(home, node, &[&["--controller"], &more[..]].concat())?;
    local::wait_for_controller(home, node).await
}

/// The agent of this machine, under its name in the job.
async fn beside_controller(home: &Home, client: &mut Client, node: &str) -> Result<(), Failure> {
    let (begun, mut spawned) = (Instant::now(), false);
    loop {
        if client.deck().await?.nodes.get(node).is_some_and(|node| node.connected) {
            return Ok(());
        }
        if !spawned && begun.elapsed() > BESIDE {
            detach::spawn(home, node, &["--local"])?;
            spawned = true;
        }
        if begun.elapsed() > local::PATIENCE {
            return Err(local::died(home, node));
        }
        sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Whether an address is this machine's: the way to it begins where it ends.
fn is_ours(address: IpAddr) -> bool {
    address.is_loopback() || local_address(address).is_ok_and(|from| from == address)
}

/// Whether this name is this machine's.
async fn is_here(name: &str) -> bool {
    match name.parse::<IpAddr>() {
        Ok(address) => is_ours(address),
        Err(_) if name == hostname() => true,
        Err(_) => lookup_host((name, 0)).await.is_ok_and(|mut all| all.any(|address| is_ours(address.ip()))),
    }
}

fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// What to call the agent beside the controller when this machine is not one of the job's hosts.
fn own_name(others: &[Host]) -> String {
    let name = hostname();
    let fit = host::is_name(&name).is_ok() && others.iter().all(|host| host.name != name);
    if fit { name } else { "controller".to_owned() }
}

/// Where the other hosts reach us: what was said, or our address in the list, or the one from which a way leads to them.
async fn address(said: Option<&String>, here: Option<&Host>, there: &Host) -> Result<SocketAddr, Failure> {
    let address = match said {
        Some(said) => match (said.parse::<SocketAddr>(), said.parse::<IpAddr>()) {
            (Ok(address), _) => address,
            (_, Ok(address)) => SocketAddr::new(address, PORT),
            _ => return Err(format!("`{said}` is no address to listen on: write 10.0.0.1 or 10.0.0.1:{PORT}")),
        },
        None => {
            let listed = match here {
                Some(host) => resolve(&host.name).await.filter(|address| !address.is_loopback()),
                None => None,
            };
            let address = match listed {
                Some(address) => Some(address),
                None => resolve(&there.name).await.and_then(|other| local_address(other).ok()),
            };
            let address = address.ok_or_else(|| {
                format!(
                    "no way leads to {}: it is not known on which address it could reach this machine; say it with --listen or [cluster] address",
                    there.name
                )
            })?;
            SocketAddr::new(address, PORT)
        }
    };
    may_listen_with_tls(address)?;
    match is_ours(address.ip()) {
        true => Ok(address),
        false => Err(format!("{} is no address of this machine: give one of those that `ip addr` shows", address.ip())),
    }
}

async fn resolve(name: &str) -> Option<IpAddr> {
    lookup_host((name, 0)).await.ok()?.next().map(|address| address.ip())
}

/// Nothing is sent: the kernel only chooses the way.
fn local_address(other: IpAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = if other.is_ipv4() { [0, 0, 0, 0].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((other, PORT))?;
    Ok(socket.local_addr()?.ip())
}
