//! The driver: waits until Ray has all nodes, submits the job, and follows it to its end. It is no part of the job: when it
//! is killed, the job goes on, and the next driver of the attempt finds it under the same submission id.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use rldeck_core::{
    record::{self, FAULTS, Fault, Record, Restart},
    shard::{MISCONFIGURED, Report, Severity},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, timeout},
};

use super::{
    api::{Api, Job, Status, Trouble},
    checkpoint,
    events::Events,
};

/// How often Ray is asked.
const EVERY: Duration = Duration::from_millis(500);
/// A cluster that is not whole after so long is spoken of, with the names of who is missing.
const LONG: Duration = Duration::from_secs(20);
/// A head that is silent for so long is spoken of.
const SILENT: Duration = Duration::from_secs(3);
/// And one that is silent for so long is given up.
const GONE: Duration = Duration::from_secs(20);
/// So much of the end of a job's log tells why it ended, in bytes: Ray's own message holds ten lines, and of those
/// whatever other processes printed last.
const TELLING: u64 = 64 << 10;
/// A job has so long to end when it is asked to; the whole cluster ends after that.
const STOPPING: Duration = Duration::from_secs(8);

/// What a driver is to do.
#[derive(Clone, Debug)]
pub struct Driver {
    /// `http://HOST:PORT` of Ray's head.
    pub address: String,
    /// What Ray is asked with.
    pub token: Option<String>,
    /// The job's name in Ray; new with every attempt.
    pub submission: String,
    /// The command line of the job, for the head's shell.
    pub entrypoint: String,
    /// The environment of all its processes.
    pub env: BTreeMap<String, String>,
    /// The nodes that must be there, by address.
    pub nodes: Vec<String>,
    /// Where checkpoints lie.
    pub checkpoints: Option<PathBuf>,
    /// How many rollouts the run has.
    pub rollouts: u64,
    /// The directory of Ray's logs on this node.
    pub logs: Option<PathBuf>,
}

/// How it ended.
enum End {
    /// The job has done all of its work.
    Done,
    /// It has not, and perhaps another attempt does.
    Failed,
    /// Another attempt would end the same way.
    Misconfigured,
    /// It was asked to end.
    Stopped,
}

/// Runs the driver to its end.
pub fn drive(driver: &Driver) -> ExitCode {
    let dir = PathBuf::from(std::env::var_os("RLDECK_SHARD_DIR").unwrap_or_else(|| ".".into()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (runtime, events) = match (runtime, Events::open(&dir)) {
        (Ok(runtime), Ok(events)) => (runtime, events),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("the driver cannot run: {error}");
            return ExitCode::FAILURE;
        }
    };
    let api = Api::new(driver.address.clone(), driver.token.clone());
    let mut drive = Drive { driver, api, events, silent: None, told: false };
    let end = runtime.block_on(async {
        let mut term = signal(SignalKind::terminate())?;
        let end = tokio::select! {
            end = drive.run() => end,
            _ = term.recv() => None,
        };
        match end {
            Some(end) => Ok(end),
            None => {
                drive.stop().await;
                Ok::<_, std::io::Error>(End::Stopped)
            }
        }
    });
    match end {
        Ok(End::Done | End::Stopped) => ExitCode::SUCCESS,
        Ok(End::Misconfigured) => ExitCode::from(MISCONFIGURED as u8),
        Ok(End::Failed) | Err(_) => ExitCode::FAILURE,
    }
}

struct Drive<'a> {
    driver: &'a Driver,
    api: Api,
    events: Events,
    /// Ray has not answered since.
    silent: Option<Instant>,
    /// And that was said.
    told: bool,
}

impl Drive<'_> {
    async fn run(&mut self) -> Option<End> {
        if let Some(dir) = &self.driver.checkpoints {
            self.tell_checkpoints(dir);
        }
        match self.whole().await {
            Ok(()) => {}
            Err(end) => return Some(end),
        }
        Some(self.follow().await)
    }

    /// What lies there from before.
    fn tell_checkpoints(&mut self, dir: &Path) {
        // A directory that is not there yet is that of a first run.
        let Ok(found) = checkpoint::scan(dir) else { return };
        for checkpoint::Found { rollout, path, bytes, missing } in found {
            match missing.is_empty() {
                true => self.events.report(Report::Checkpoint { rollout, path, bytes }),
                false => {
                    let text =
                        format!("the checkpoint {path} is not whole: {missing} is missing; it is not resumed from");
                    self.events.notice(Severity::Warning, text);
                }
            }
        }
    }

    /// Waits until every node is in the cluster.
    async fn whole(&mut self) -> Result<(), End> {
        let (begun, mut said, mut counted) = (Instant::now(), false, None);
        let total = self.driver.nodes.len();
        self.events.report(Report::Phase { name: "cluster".into(), rollout: 0 });
        loop {
            let nodes = match self.api.nodes().await {
                Ok(nodes) => nodes,
                // It takes seconds to come up, and its own shard says when it does not.
                Err(Trouble::Silent(_) | Trouble::Refused { .. }) => {
                    sleep(EVERY).await;
                    continue;
                }
                Err(trouble) => return Err(self.misconfigured(trouble.to_string())),
            };
            let alive = |address: &String| nodes.iter().any(|node| node.alive && node.address == *address);
            let missing: Vec<_> = self.driver.nodes.iter().filter(|address| !alive(address)).cloned().collect();
            let done = total - missing.len();
            if counted != Some(done) {
                counted = Some(done);
                println!("{done} of {total} nodes are in the cluster");
                let (done, total) = (done as u64, total as u64);
                self.events.report(Report::Progress { unit: "nodes".into(), done, total });
            }
            if missing.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > LONG && !said {
                said = true;
                let names = missing.join(", ");
                let text = format!(
                    "{} of {total} nodes are not in the Ray cluster after {} s: {names}; their ray shards' logs say why",
                    missing.len(),
                    LONG.as_secs()
                );
                self.events.notice(Severity::Warning, text);
            }
            sleep(EVERY).await;
        }
    }

    /// Submits the job, unless it is there, and follows it.
    async fn follow(&mut self) -> End {
        let mut ready = false;
        loop {
            match self.api.job(&self.driver.submission).await {
                Ok(Some(job)) => {
                    self.answered();
                    if job.status == Status::Running && !ready {
                        ready = true;
                        println!("job {} is running", self.driver.submission);
                        self.events.report(Report::Ready);
                    }
                    if job.status.is_over() {
                        return self.ended(&job);
                    }
                }
                Ok(None) => {
                    println!("submitting {}: {}", self.driver.submission, self.driver.entrypoint);
                    let Driver { submission, entrypoint, env, .. } = self.driver;
                    match self.api.submit(submission, entrypoint, env).await {
                        Ok(()) => continue,
                        Err(Trouble::Silent(why)) => {
                            if let Some(end) = self.is_silent(&why) {
                                return end;
                            }
                        }
                        Err(trouble) => return self.misconfigured(format!("the job was not taken: {trouble}")),
                    }
                }
                Err(Trouble::Stranger(status)) => return self.misconfigured(Trouble::Stranger(status).to_string()),
                Err(trouble) => {
                    if let Some(end) = self.is_silent(&trouble.to_string()) {
                        return end;
                    }
                }
            }
            sleep(EVERY).await;
        }
    }

    fn answered(&mut self) {
        if self.told {
            self.events.notice(Severity::Info, "Ray's head answers again");
        }
        (self.silent, self.told) = (None, false);
    }

    /// Ray has not answered: says so, and gives it up in the end.
    fn is_silent(&mut self, why: &str) -> Option<End> {
        let since = *self.silent.get_or_insert_with(Instant::now);
        if since.elapsed() >= SILENT && !self.told {
            self.told = true;
            self.events.notice(Severity::Warning, format!("Ray's head does not answer: {why}"));
        }
        if since.elapsed() < GONE {
            return None;
        }
        let text = format!("Ray's head has not answered for {} s: {why}; the cluster is given up", GONE.as_secs());
        self.events.notice(Severity::Error, text);
        Some(End::Failed)
    }

    fn misconfigured(&mut self, why: String) -> End {
        self.events.notice(Severity::Error, why);
        End::Misconfigured
    }

    fn ended(&mut self, job: &Job) -> End {
        let message = job.message.as_deref().unwrap_or_default();
        match job.status {
            Status::Succeeded => {
                let rollout = self.driver.rollouts.saturating_sub(1);
                self.events.report(Report::Finished { rollout });
                End::Done
            }
            Status::Stopped => {
                let text = "the job was stopped through Ray, not by rldeck: `ray job stop`, or its dashboard";
                self.events.notice(Severity::Error, text);
                End::Failed
            }
            _ => {
                println!("{message}");
                let how = match job.driver_exit_code {
                    Some(code) if code < 0 => format!(": its driver was ended by signal {}", -code),
                    Some(code) => format!(" with status {code}"),
                    None => String::new(),
                };
                let log = self.end_of_log().unwrap_or_else(|| message.to_owned());
                let cause = cause(&log);
                let said = cause.map_or_else(|| last_word(&log), |cause| format!("{}; {}", cause.what, cause.remedy));
                self.events.notice(Severity::Error, format!("the job has ended{how}: {said}"));
                match cause.map(|cause| cause.restart) {
                    Some(Restart::Useless) => End::Misconfigured,
                    _ => End::Failed,
                }
            }
        }
    }

    fn end_of_log(&self) -> Option<String> {
        let path = self.driver.logs.as_ref()?.join(format!("job-driver-{}.log", self.driver.submission));
        let mut file = File::open(path).ok()?;
        let size = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(TELLING))).ok()?;
        let mut end = Vec::new();
        file.read_to_end(&mut end).ok()?;
        Some(String::from_utf8_lossy(&end).into_owned())
    }

    /// Takes the job back.
    async fn stop(&mut self) {
        println!("stopping {}", self.driver.submission);
        let stopped = timeout(STOPPING, async {
            loop {
                match self.api.job(&self.driver.submission).await {
                    Ok(Some(job)) if !job.status.is_over() => {
                        let _ = self.api.stop(&self.driver.submission).await;
                    }
                    Ok(_) => return,
                    // Its nodes end next, and the job with them.
                    Err(_) => return,
                }
                sleep(EVERY).await;
            }
        });
        let said = if stopped.await.is_ok() { "it has ended" } else { "it has not ended in time; its nodes end next" };
        println!("{said}");
    }
}

/// Of the faults that lines tell, the one that others follow from: causes stand first among [`FAULTS`].
fn cause(log: &str) -> Option<&'static Fault> {
    let mut found: Option<usize> = None;
    for line in log.lines() {
        record::parse(line.as_bytes(), &mut |record| {
            if let Record::Fault { fault, .. } = record
                && fault.severity == Severity::Error
                && let Some(at) = FAULTS.iter().position(|known| known.id == fault.id)
            {
                found = Some(found.map_or(at, |before| before.min(at)));
            }
        });
    }
    found.map(|at| &FAULTS[at])
}

/// The last line of the driver's own that says something.
fn last_word(log: &str) -> String {
    let own = |line: &&str| !line.trim().is_empty() && !line.starts_with(['\u{1b}', '(']);
    let line = log.lines().rev().find(own).unwrap_or("its log says why").trim();
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lines_the_cause_is_told_and_not_what_follows_from_it() {
        let log = "\u{1b}[36m(RolloutManager pid=3)\u{1b}[0m First rollout sample: ['CUDA out of memory'], label: 1\n\
            ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.\n\
            \u{1b}[36m(MegatronTrainRayActor pid=9)\u{1b}[0m AssertionError: hf_validate_args failed: hidden_size\n";
        assert_eq!(cause(log).map(|fault| fault.id), Some("model-mismatch"));
        assert_eq!(cause("all is well\n").map(|fault| fault.id), None);
        let log = "KeyError: 'x'\n\n\u{1b}[36m(MegatronTrainRayActor pid=9)\u{1b}[0m Timer sleep end\n";
        assert_eq!(last_word(log), "KeyError: 'x'");
        assert_eq!(last_word("\n"), "its log says why");
    }
}
