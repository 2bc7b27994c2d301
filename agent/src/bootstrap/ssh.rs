use std::{
    fs::File,
    io,
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    time::timeout,
};

use super::trouble::{Class, Ended, Trouble, classify};

/// A host that does not answer for so long is given up, seconds.
const CONNECT: u64 = 10;
/// More than this is not kept of what a host says, in bytes.
const MOST: u64 = 1 << 20;

/// The system's ssh, as its user has set it up: jump hosts, users, ports and keys are in its configuration.
#[derive(Clone, Debug, Default)]
pub struct Ssh {
    /// A configuration instead of the user's own.
    pub config: Option<PathBuf>,
    /// Whom to log in as, where the configuration is not to say it.
    pub user: Option<String>,
    /// The port, likewise.
    pub port: Option<u16>,
}

impl Ssh {
    /// A command on a host: a fixed text for `sh`, its arguments apart from it.
    pub(super) fn command(&self, destination: &str, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        if let Some(user) = &self.user {
            command.arg("-l").arg(user);
        }
        if let Some(port) = self.port {
            command.arg("-p").arg(port.to_string());
        }
        // What is given here goes before any configuration: nothing is asked, no key is accepted unseen, and nothing is
        // forwarded to a host on which others may be root.
        command.args([
            "-T",
            "-a",
            "-x",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "LogLevel=INFO",
        ]);
        command.args(["-o", &format!("ConnectTimeout={CONNECT}"), "-o", "ConnectionAttempts=1"]);
        command.args(["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "ClearAllForwardings=yes"]);
        command.args(["-o", "PermitLocalCommand=no", "-o", "RemoteCommand=none", "--", destination]);
        let mut remote = format!("exec sh -c {} rldeck", quoted(script));
        for argument in arguments {
            remote.push(' ');
            remote.push_str(&quoted(argument));
        }
        // What ssh and the host say is compared with what is known, which is English.
        command.arg(remote).env("LC_ALL", "C").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end; what it printed.
    pub(super) async fn run(
        &self,
        destination: &str,
        script: &str,
        arguments: &[&str],
        input: Option<File>,
        patience: Duration,
    ) -> Result<String, Trouble> {
        let mut command = self.command(destination, script, arguments);
        if let Some(input) = input {
            command.stdin(input);
        }
        let child = command.spawn().map_err(|error| cannot_start(&error))?;
        let output = self.output(child, destination, patience).await?;
        self.check(destination, &output)
    }

    pub(super) fn check(&self, destination: &str, output: &Output) -> Result<String, Trouble> {
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(self.classify(destination, output.status.code(), &String::from_utf8_lossy(&output.stderr))),
        }
    }

    pub(super) fn classify(&self, destination: &str, status: Option<i32>, errors: &str) -> Trouble {
        let options = self.config.as_ref().map_or(String::new(), |config| format!("-F {} ", config.display()));
        classify(Ended { destination, options: &options, status, errors })
    }

    /// Waits for its end; whatever of its output has not been read yet.
    pub(super) async fn output(
        &self,
        mut child: Child,
        destination: &str,
        patience: Duration,
    ) -> Result<Output, Trouble> {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let all = async {
            let (stdout, stderr, status) = tokio::join!(read(stdout), read(stderr), child.wait());
            Ok::<_, io::Error>(Output { status: status?, stdout, stderr })
        };
        match timeout(patience, all).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(Trouble::new(Class::Other, error.to_string())),
            Err(_) => Err(Trouble::new(
                Class::Timeout,
                format!("ssh to {destination} has not come to its end within {} s", patience.as_secs()),
            )),
        }
    }
}

async fn read(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut data = Vec::new();
    if let Some(mut stream) = stream {
        let _ = (&mut stream).take(MOST).read_to_end(&mut data).await;
        // The rest is read all the same: a full pipe would keep the command from its end.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    data
}

pub(super) fn cannot_start(error: &io::Error) -> Trouble {
    Trouble::new(Class::Ssh, format!("ssh cannot be started on this machine: {error}"))
}

/// One word for any shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_words_whatever_they_hold() {
        let command = Ssh::default().command("gpu1", "printf %s \"$1\"", &["a'b $(id) \"c\"; d"]);
        let remote = command.as_std().get_args().last().unwrap().to_owned();
        // What sshd gives to the user's shell.
        let output = std::process::Command::new("sh").arg("-c").arg(remote).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "a'b $(id) \"c\"; d");
    }
}
