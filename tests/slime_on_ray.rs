//! slime on Ray, from a hostfile to nothing left: real Ray on hosts of their own, real ssh, and a job that stands in for
//! slime's. Needs root; says so and passes where that is missing.

use std::time::Duration;

use crate::rig::Slime;

const MINUTES: Duration = Duration::from_secs(180);

#[test]
fn from_a_hostfile_to_rollouts_changes_a_restart_and_nothing_left() {
    let mut slime = match Slime::new(4) {
        Ok(slime) => slime,
        Err(skip) => return eprintln!("skipped: {skip}"),
    };
    let job = slime.job("whole", 1000, "");
    slime.up(&job);
    let (_, up) = slime.until("it runs", MINUTES, |status| (status["state"] == "running").then_some(()));
    println!("from the hostfile to a running job: {up:?}");
    println!("first rollouts after {:?}", slime.rollout(2, MINUTES));
    println!("{}", slime.story());
}
