use std::{fs::File, process::Stdio, time::Duration};

use rldeck_core::host::Host;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    Bootstrap, Connected, Event, Stage, Step, script,
    ssh::cannot_start,
    trouble::{Class, Trouble},
};
use crate::identity::{Grant, Peer};

/// A small command over ssh is done by then.
const SOON: Duration = Duration::from_secs(60);
/// So long may the binary take on a slow line.
const UPLOAD: Duration = Duration::from_secs(600);
/// An agent that was started joins within this time.
const JOIN: Duration = Duration::from_secs(15);
/// What the status of `rldeck enroll` says: enrolled, but the controller cannot be reached.
pub const UNREACHED: u8 = 3;

/// What was done when an agent of another version was there.
const REPLACED: &str = "replaced";

/// What is known of a host.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    home: String,
    machine: String,
    size: Option<u64>,
    hash: Option<String>,
    /// The agent that is connected runs the binary that lies there.
    runs: bool,
}

/// One host on its way.
struct Way<'a> {
    bootstrap: &'a Bootstrap,
    host: &'a Host,
    destination: String,
    events: &'a mpsc::Sender<Event>,
}

/// Stage by stage; each begins and ends with an event.
pub(super) async fn bring_up(
    bootstrap: &Bootstrap,
    host: &Host,
    mut connected: watch::Receiver<Connected>,
    events: &mpsc::Sender<Event>,
) -> Result<(), Trouble> {
    let way = Way { bootstrap, host, destination: host.destination(), events };
    let pid = connected.borrow().get(&host.name).copied();
    let mut found = Found::default();
    way.stage(Stage::Reach, async {
        found = way.probe(pid).await?;
        Ok("reached")
    })
    .await?;
    let same = way.is_same(&found);
    if same && found.runs {
        return way.stage(Stage::Join, async { Ok("there already") }).await;
    }
    if !same {
        way.stage(Stage::Install, way.install(&found)).await?;
    }
    way.stage(Stage::Enrol, way.enrol(&found)).await?;
    let mut replaced = false;
    way.stage(Stage::Start, async {
        let done = way.start(&found).await?;
        replaced = done == REPLACED;
        Ok(done)
    })
    .await?;
    // The controller may hear of the old one's end only later.
    let before = pid.filter(|_| replaced);
    way.stage(Stage::Join, way.join(&found, before, &mut connected)).await
}

impl Way<'_> {
    async fn stage(
        &self,
        stage: Stage,
        work: impl Future<Output = Result<&'static str, Trouble>>,
    ) -> Result<(), Trouble> {
        self.tell(stage, Step::Begun).await;
        match work.await {
            Ok(done) => {
                self.tell(stage, Step::Done(done)).await;
                Ok(())
            }
            Err(trouble) => {
                self.tell(stage, Step::Failed(trouble.clone())).await;
                Err(trouble)
            }
        }
    }

    async fn tell(&self, stage: Stage, step: Step) {
        let _ = self.events.send(Event { host: self.host.name.clone(), stage, step }).await;
    }

    async fn ssh(&self, script: &str, arguments: &[&str]) -> Result<String, Trouble> {
        self.bootstrap.ssh.run(&self.destination, script, arguments, None, SOON).await
    }

    async fn probe(&self, pid: Option<u32>) -> Result<Found, Trouble> {
        let home = self.bootstrap.home.as_deref().unwrap_or_default();
        let pid = pid.map_or(String::new(), |pid| pid.to_string());
        let found = Found::read(&self.ssh(script::PROBE, &[home, &pid]).await?);
        let found =
            found.ok_or_else(|| Trouble::new(Class::Other, "its shell does not run the commands of a POSIX shell"))?;
        let ours = std::env::consts::ARCH;
        match found.machine == ours {
            true => Ok(found),
            false => Err(Trouble::new(
                Class::Binary,
                format!(
                    "it is another machine: this binary is for {ours}, the host is {}; build one for it",
                    found.machine
                ),
            )),
        }
    }

    fn is_same(&self, found: &Found) -> bool {
        let binary = &self.bootstrap.binary;
        // Without a tool for sums the size must do.
        found.size == Some(binary.size) && found.hash.as_ref().is_none_or(|hash| *hash == binary.hash)
    }

    async fn install(&self, found: &Found) -> Result<&'static str, Trouble> {
        let binary = &self.bootstrap.binary;
        let file = File::open(&binary.path)
            .map_err(|error| Trouble::new(Class::Other, format!("our own binary cannot be read: {error}")))?;
        let size = binary.size.to_string();
        let arguments = [found.home.as_str(), &self.host.name, &size];
        self.bootstrap.ssh.run(&self.destination, script::INSTALL, &arguments, Some(file), UPLOAD).await?;
        Ok("installed")
    }

    /// The session is the operator's own: what comes out of it comes from this host, what goes in reaches nobody else.
    async fn enrol(&self, found: &Found) -> Result<&'static str, Trouble> {
        let ssh = &self.bootstrap.ssh;
        let mut command = ssh.command(&self.destination, script::ENROL, &[&found.home, &self.host.name]);
        let mut child = command.stdin(Stdio::piped()).spawn().map_err(|error| cannot_start(&error))?;
        if let (Some(stdout), Some(mut stdin)) = (child.stdout.take(), child.stdin.take())
            && let Ok(Some(request)) = timeout(SOON, request(stdout)).await
        {
            let certificate = self.bootstrap.authority.sign(&request, &Peer::agent(&self.host.name));
            let certificate = certificate.map_err(|why| Trouble::new(Class::Other, why))?;
            let authority = self.bootstrap.authority.certificate.clone();
            let grant = Grant { certificate, authority, controllers: self.bootstrap.controllers.clone() };
            let grant = serde_json::to_vec(&grant).map_err(|error| Trouble::new(Class::Other, error.to_string()))?;
            // A command that has gone says why with its status.
            let _ = stdin.write_all(&grant).await;
            let _ = stdin.shutdown().await;
        }
        let output = ssh.output(child, &self.destination, SOON).await?;
        if output.status.code() == Some(UNREACHED.into()) {
            let errors = String::from_utf8_lossy(&output.stderr);
            let why = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            let why = why.strip_prefix("rldeck: ").unwrap_or(why);
            return Err(Trouble::new(Class::Unreached, format!("it does not reach this machine: {why}")));
        }
        ssh.check(&self.destination, &output)?;
        Ok("enrolled")
    }

    async fn start(&self, found: &Found) -> Result<&'static str, Trouble> {
        let said = self.ssh(script::START, &[&found.home, &self.host.name]).await?;
        Ok(match said.lines().last() {
            Some("there") => "running",
            Some("instead") => REPLACED,
            _ => "started",
        })
    }

    async fn join(
        &self,
        found: &Found,
        before: Option<u32>,
        connected: &mut watch::Receiver<Connected>,
    ) -> Result<&'static str, Trouble> {
        let name = &self.host.name;
        let here = |connected: &Connected| connected.get(name).is_some_and(|pid| Some(*pid) != before);
        let joined = timeout(JOIN, connected.wait_for(here)).await.map(|joined| joined.map(drop));
        match joined {
            Ok(Ok(_)) => Ok("joined"),
            Ok(Err(_)) => Err(Trouble::new(Class::Other, "the controller has ended")),
            Err(_) => {
                let log = self.ssh(script::LOG, &[&found.home, name]).await.unwrap_or_default();
                let last = log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
                let text = format!(
                    "its agent has not joined within {} s; last in {}/{name}.log there: {last}",
                    JOIN.as_secs(),
                    found.home
                );
                Err(Trouble::new(Class::Unreached, text))
            }
        }
    }
}

impl Found {
    /// Out of what the shell prints, of which not all need be ours.
    fn read(printed: &str) -> Option<Found> {
        let mut found = Found::default();
        for line in printed.lines() {
            match line.trim().split_once(' ') {
                Some(("rldeck-home", home)) => home.clone_into(&mut found.home),
                Some(("rldeck-machine", machine)) => machine.clone_into(&mut found.machine),
                Some(("rldeck-size", size)) => found.size = size.trim().parse().ok(),
                Some(("rldeck-hash", hash)) => found.hash = Some(hash.trim().to_owned()),
                Some(("rldeck-runs", _)) => found.runs = true,
                _ => {}
            }
        }
        (found.home.starts_with('/') && !found.machine.is_empty()).then_some(found)
    }
}

/// The certificate request among what a host prints; `None` when it ends without one.
async fn request(stdout: impl tokio::io::AsyncRead + Unpin) -> Option<String> {
    const MARK: (&str, &str) = ("-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----");
    /// A request is far shorter.
    const MOST: usize = 64 << 10;
    let mut lines = BufReader::new(stdout).lines();
    let mut request = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let line = line.trim();
        if request.is_empty() && line != MARK.0 {
            continue;
        }
        request.push_str(line);
        request.push('\n');
        if line == MARK.1 {
            return Some(request);
        }
        if request.len() > MOST {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_shell_prints_besides_is_left_alone() {
        let printed =
            "Welcome to gpu1!\nrldeck-home /root/.local/state/rldeck\r\nrldeck-machine x86_64\nrldeck-size  12 \n";
        let found = Found::read(printed).unwrap();
        assert_eq!((found.home.as_str(), found.size, found.runs), ("/root/.local/state/rldeck", Some(12), false));
        assert_eq!(Found::read("sh: not found\n"), None);
        let pem = "hello\n-----BEGIN CERTIFICATE REQUEST-----\r\nAAAA\r\n-----END CERTIFICATE REQUEST-----\nmore\n";
        let expected = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
        assert_eq!(request(pem.as_bytes()).await.as_deref(), Some(expected));
        assert_eq!(request(&b"nothing of the kind\n"[..]).await, None);
    }
}
