//! A job written out and read back.

use super::*;

fn back(job: &Job) -> Job {
    let text = job.to_toml();
    match Job::read(&text, "runs/7/job.toml", &|name| panic!("{name} was looked up")) {
        Ok((job, _)) => job,
        Err(findings) => panic!("{text}\n{findings:?}"),
    }
}

#[test]
fn a_job_reads_back_equal_and_looks_nothing_up() {
    let jobs = [
        mini(""),
        mini("name = \"x\"\n[rollout]\ndynamic-sampling-filter-path = false\n[checkpoint]\nsave-interval = false\n"),
        mini(
            "[cluster]\nnodes = 3\nssh-user = \"a\"\nssh-port = 22\nssh-config = \"c\"\n[slime]\nbridge = false\ntemp-dir = \"/t\"\n",
        ),
        mini("[misc]\nlr = 0.1\n[env]\nPRICE = \"5$$\"\n_B2 = \"a=b\"\n[restart]\nbackoff-seconds = 0.25\n"),
        mini("[alert]\n\"a b\" = [\"> 1e-7\", \"< -3 for 4\"]\n[cluster]\nhosts = \"node0\"\ncolocate = true\n"),
        good(&format!("{SLIME}[sglang]\nserver-concurrency = 512\nrollout-num-gpus = 0\n")),
    ];
    for job in jobs {
        assert_eq!(back(&job), job);
    }
}

#[test]
fn a_value_is_written_as_it_was() {
    let job = mini("[optimizer]\nlr = 1e-6\nweight-decay = 0.00\nadam-beta2 = +0.98\n[rollout]\nnum-rollout = 1_000\n");
    let text = job.to_toml();
    for line in ["lr = 1e-6", "weight-decay = 0.00", "adam-beta2 = 0.98", "num-rollout = 1000", "recipe = \"r1-mini\""]
    {
        assert!(text.lines().any(|written| written == line), "{line} in\n{text}");
    }
}

/// Any text as a value, the number-like and the quote-like above all.
#[test]
fn any_value_survives() {
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let alphabet: Vec<char> =
        "0123456789..--++eE__xX infnatrue\"'\\$${}[]#=,\n\r\t\u{1}\u{7f}\u{85}é漢🙂\u{feff}".chars().collect();
    let mut job = mini("");
    for _ in 0..500 {
        let mut text = || (0..next(9)).map(|_| alphabet[next(alphabet.len())]).collect::<String>();
        let several = vec![text(), text()];
        let value = [Value::One(text()), Value::Many(several), Value::Flag][next(3)].clone();
        let set = Set { group: Group::Misc, name: "warp".to_owned(), value };
        job.arguments.retain(|set| set.name != "warp");
        job.arguments.push(set);
        job.env = changes([("X", &(0..next(9)).map(|_| alphabet[next(alphabet.len())]).collect::<String>())]);
        assert_eq!(back(&job), job);
    }
}
