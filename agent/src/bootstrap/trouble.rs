use std::fmt;

/// What kept a host from joining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its kind.
    pub class: Class,
    /// What was said, and what to do about it: a line or two for the operator.
    pub text: String,
}

/// The kinds of trouble that have different remedies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// There is no ssh on this machine, or it cannot use its configuration.
    Ssh,
    /// Nobody has vouched for the host yet.
    UnknownHostKey,
    /// The host is not the one it was.
    ChangedHostKey,
    /// The host does not let us in.
    Denied,
    /// No answer.
    Timeout,
    /// Nothing listens for ssh there.
    Refused,
    /// No way leads there.
    NoRoute,
    /// Nobody knows this name.
    NotResolved,
    /// No space is left for the binary.
    DiskFull,
    /// This binary does not run there.
    Binary,
    /// The directory for its files cannot be written.
    Home,
    /// The host does not reach the controller.
    Unreached,
    /// The connection broke.
    Lost,
    /// Something else.
    Other,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Trouble {
    /// Of this class, in these words.
    pub fn new(class: Class, text: impl Into<String>) -> Trouble {
        Trouble { class, text: text.into() }
    }
}

/// How a remote command ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended<'a> {
    /// What ssh was told to reach.
    pub(super) destination: &'a str,
    /// `-F FILE ` when the operator gave one.
    pub(super) options: &'a str,
    /// Its status; 255 is ssh's own.
    pub(super) status: Option<i32>,
    /// What it and the remote command said.
    pub(super) errors: &'a str,
}

/// ssh's own failures all have this status.
const SSH_FAILED: i32 = 255;

/// What ssh says, the class it is of, and what to do: the first that fits. `{ssh}` is how to reach the host by hand.
const OF_SSH: &[(&[&str], Class, &str)] = &[
    (
        &["REMOTE HOST IDENTIFICATION HAS CHANGED", "Offending"],
        Class::ChangedHostKey,
        "its host key is not the one that known_hosts has: the host was set up anew, or another one answers in its place. \
         Ask who runs it; only when it was set up anew, take the old key out (`ssh-keygen -R`) and accept the new one with `{ssh}`",
    ),
    (
        &["host key is known for", "Host key verification failed"],
        Class::UnknownHostKey,
        "its host key is not known here, and none is accepted unseen: compare and accept it once with `{ssh}`",
    ),
    (
        &["Permission denied", "Too many authentication failures", "No more authentication methods"],
        Class::Denied,
        "it does not let us in: `{ssh}` must work without a password (user, key, agent, authorized_keys)",
    ),
    (
        &["Could not resolve hostname"],
        Class::NotResolved,
        "nobody knows this name: correct it in the list of hosts, or give its address in ssh's configuration",
    ),
    (&["Connection refused"], Class::Refused, "it is there, but nothing listens for ssh: does sshd run, on this port?"),
    (
        &["No route to host", "Network is unreachable"],
        Class::NoRoute,
        "no way leads there: is it up, and is the address right?",
    ),
    (
        &["timed out", "Timeout, server"],
        Class::Timeout,
        "it does not answer: is it up, and does a firewall let ssh through?",
    ),
    (
        &["Bad configuration option", "terminating,", "Can't open user config file", "Bad owner or permissions on"],
        Class::Ssh,
        "ssh cannot use its configuration",
    ),
    (
        &[
            "Connection reset",
            "Connection closed",
            "Broken pipe",
            "closed by remote host",
            "kex_exchange_identification",
        ],
        Class::Lost,
        "the connection broke",
    ),
];

/// The same of commands that ran there.
const OF_COMMANDS: &[(&[&str], Class, &str)] = &[
    (
        &["No space left on device", "Disk quota exceeded", "short of"],
        Class::DiskFull,
        "no space is left for the binary: free some, or give another place with --remote-home",
    ),
    (
        &["GLIBC_"],
        Class::Binary,
        "this binary needs a newer C library than the host has: build it on the oldest of the hosts, or statically (musl)",
    ),
    (
        &["Exec format error", "cannot execute", "another machine"],
        Class::Binary,
        "this binary does not run there: build one for that machine",
    ),
    (
        &["Read-only file system", "Permission denied", "cannot create directory", "Not a directory", "noexec"],
        Class::Home,
        "the directory for its files cannot be used: give another one with --remote-home",
    ),
];

/// Names what went wrong.
pub(super) fn classify(ended: Ended<'_>) -> Trouble {
    let Ended { destination, options, status, errors } = ended;
    let known = match status {
        Some(SSH_FAILED) => OF_SSH,
        _ => OF_COMMANDS,
    };
    let said = said(errors);
    let found = known.iter().find(|(signs, ..)| signs.iter().any(|sign| errors.contains(sign)));
    let Some((signs, class, remedy)) = found else {
        let status = status.map_or("a signal".to_owned(), |status| format!("status {status}"));
        return Trouble::new(Class::Other, format!("the command there ended with {status}: {said}"));
    };
    let line = errors.lines().map(str::trim).find(|line| signs.iter().any(|sign| line.contains(sign)));
    let remedy = remedy.replace("{ssh}", &format!("ssh {options}{destination}"));
    let line = line.unwrap_or(&said).trim_matches(|char: char| matches!(char, '@' | ' '));
    Trouble::new(*class, format!("{remedy} ({line})"))
}

/// The last line that says something: what follows a warning is why it ended.
fn said(errors: &str) -> String {
    let last = errors.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: i32, errors: &str) -> Class {
        let trouble = classify(Ended { destination: "root@gpu1", options: "-F cfg ", status: Some(status), errors });
        if matches!(trouble.class, Class::Denied | Class::UnknownHostKey | Class::ChangedHostKey) {
            assert!(trouble.text.contains("`ssh -F cfg root@gpu1`"), "{trouble}");
        }
        assert!(!trouble.text.contains('\n'), "{trouble}");
        trouble.class
    }

    #[test]
    fn what_ssh_says_is_told_apart() {
        let changed = "@@@@@@@@@@@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@@@\r\n\
            IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\nHost key verification failed.\r\n";
        let unknown = "No ED25519 host key is known for [10.78.0.2]:2222 and you have requested strict checking.\r\n\
            Host key verification failed.\r\n";
        for (errors, expected) in [
            (changed, Class::ChangedHostKey),
            (unknown, Class::UnknownHostKey),
            ("root@10.78.0.3: Permission denied (publickey).\r\n", Class::Denied),
            ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n", Class::Denied),
            ("ssh: connect to host 10.78.0.9 port 22: Connection timed out\r\n", Class::Timeout),
            ("Connection timed out during banner exchange\r\n", Class::Timeout),
            ("ssh: connect to host 10.78.0.3 port 22: Connection refused\r\n", Class::Refused),
            ("ssh: connect to host 10.78.0.3 port 22: No route to host\r\n", Class::NoRoute),
            ("ssh: Could not resolve hostname gpu1: Name or service not known\r\n", Class::NotResolved),
            (
                "cfg: line 3: Bad configuration option: foo\r\ncfg: terminating, 1 bad configuration options\r\n",
                Class::Ssh,
            ),
            ("Connection closed by 10.0.0.1 port 22\r\n", Class::Lost),
            ("something new\r\n", Class::Other),
        ] {
            assert_eq!(class(255, errors), expected, "{errors}");
        }
    }

    #[test]
    fn what_commands_say_is_told_apart() {
        for (status, errors, expected) in [
            (1, "cat: write error: No space left on device\n", Class::DiskFull),
            (
                1,
                "/r/bin/x: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.39' not found (required by x)\n",
                Class::Binary,
            ),
            (126, "sh: 1: /r/bin/x: Exec format error\n", Class::Binary),
            (1, "mkdir: cannot create directory '/r': Permission denied\n", Class::Home),
            (1, "mkdir: cannot create directory '/r': Read-only file system\n", Class::Home),
            (1, "what?\n", Class::Other),
        ] {
            assert_eq!(class(status, errors), expected, "{errors}");
        }
    }
}
