//! Where a rank lies in the layout of the job: nodes know the numbers of their ranks, the controller knows the job.

use rldeck_core::{deck::Frame, layout::Layout, run::Run};

/// The layout of the present attempt, worked out once.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The run and attempt that it is of.
    of: (String, u32),
    layout: Option<Layout>,
}

impl Places {
    /// Says behind `rank 27` which parts that rank has: `rank 27 tp3 cp3 pp0 ep27`.
    pub(super) fn fill(&mut self, frame: &mut Frame, run: &Run) {
        for process in &mut frame.processes {
            let Some(rank) = process.rank.strip_prefix("rank ").and_then(|rank| rank.parse().ok()) else { continue };
            if let Some(layout) = self.layout(run).filter(|layout| rank < layout.world()) {
                process.rank += &format!(" {}", layout.rank(rank).parts());
            }
        }
    }

    fn layout(&mut self, run: &Run) -> Option<&Layout> {
        let of = (run.id.clone(), run.attempt);
        if self.of != of {
            let job = run.job.as_ref().map(|job| job.with(&run.in_force()));
            self.layout = job.and_then(|job| Layout::new(&job, run.hosts.len()).ok());
            self.of = of;
        }
        self.layout.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use rldeck_core::{deck::Process, job::Job};

    use super::*;

    #[test]
    fn a_rank_is_told_with_its_place_in_the_layout() {
        let job = Job::from_recipe("deepseek-r1", &|_| None).unwrap().0;
        let hosts = (0..16).map(|node| format!("node{node}")).collect();
        let mut run = Run { id: "r".into(), attempt: 1, job: Some(job), hosts, ..Run::default() };
        let mut places = Places::default();
        let mut said = |run: &Run, rank: &str| {
            let process = Process { rank: rank.to_owned(), ..Process::default() };
            let mut frame = Frame { processes: vec![process], ..Frame::default() };
            places.fill(&mut frame, run);
            frame.processes.remove(0).rank
        };
        assert_eq!(said(&run, "rank 27"), "rank 27 tp3 cp3 pp0 ep27");
        assert_eq!(said(&run, "rank 127"), "rank 127 tp7 cp3 pp3 ep31");
        for other in ["rank 128", "rank x", "dp1 tp9 ep9", ""] {
            assert_eq!(said(&run, other), other);
        }
        run.attempt = 2;
        run.hosts.truncate(3);
        assert_eq!(said(&run, "rank 3"), "rank 3", "24 GPUs do not come out even");
    }
}
