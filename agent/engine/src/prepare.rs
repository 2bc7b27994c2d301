//! What has to be there before a job starts: its data, and the policy to begin from.

use std::{sync::atomic::AtomicBool, time::Instant};

use rldeck_core::shard::Report;

use crate::{checkpoint, config::Config, model::Layout, report::Reporter, say, task};

/// Why it ended without being done.
pub(crate) enum Unfinished {
    Stopped,
    Failed(String),
}

pub(crate) fn run(config: &Config, stop: &AtomicBool) -> Result<(), Unfinished> {
    let mut report = Reporter::new();
    report.report(Report::Ready);
    if config.generate_data {
        report.report(Report::Phase { name: "data".into(), rollout: 0 });
        let eval = config.eval.as_ref().map(|eval| eval.data.as_path());
        task::write_missing(config.prompt_data.as_deref(), eval, config.seed)
            .map_err(|error| Unfinished::Failed(format!("cannot write the data: {error}")))?;
    }
    if config.cold_start.is_some() {
        cold_start(config, stop, &mut report)?;
    }
    report.report(Report::Phase { name: String::new(), rollout: 0 });
    Ok(())
}

fn cold_start(config: &Config, stop: &AtomicBool, report: &mut Reporter) -> Result<(), Unfinished> {
    let Some(dir) = config.cold_dir() else { return Ok(()) };
    let layout = Layout::new(&config.shape);
    if checkpoint::read_model(&dir, &layout).is_ok() {
        say!("cold start found in {}", dir.display());
        return Ok(());
    }
    report.report(Report::Phase { name: "cold-start".into(), rollout: 0 });
    say!("cold start of {} parameters: {} steps, to be kept in {}", layout.len, config.cold_start_steps, dir.display());
    let (begin, total) = (Instant::now(), config.cold_start_steps);
    let mut told = Instant::now();
    let weights = config
        .cold()
        .run(stop, |step, loss| {
            let done = step + 1;
            if done < total && told.elapsed().as_millis() < 100 {
                return;
            }
            told = Instant::now();
            report.report(Report::Progress { unit: "steps".into(), done, total });
            let values = [("prepare/loss".to_owned(), loss)].into();
            report.report(Report::Metrics { rollout: 0, step: Some(step), values });
            if done == total || done % 10 == 0 {
                say!("cold start {done}/{total}: loss {loss:.3}");
            }
        })
        .map_err(|_| Unfinished::Stopped)?;
    checkpoint::save_model(&dir, &layout, &weights)
        .map_err(|error| Unfinished::Failed(format!("cannot keep the cold start: {error}")))?;
    say!("cold start done in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
