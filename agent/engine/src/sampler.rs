//! Continuous batching: many groups decoded at once, each prompt read once and continued `samples` times.

use crate::{
    device::Device,
    exchange::{Job, Response},
    model::{Decoder, Layout, Next},
    random::{Purpose, Random},
    task::EOS,
};

struct Group {
    job: Job,
    slots: Vec<usize>,
    responses: Vec<Response>,
    running: usize,
}

struct Sequence {
    group: u64,
    sample: usize,
    slot: usize,
    position: usize,
    token: u32,
    random: Random,
}

/// Decodes groups side by side.
pub(crate) struct Sampler<D: Device> {
    device: D,
    decoder: Decoder<D>,
    slots: usize,
    capacity: usize,
    free: Vec<usize>,
    waiting: Vec<Job>,
    groups: Vec<Group>,
    sequences: Vec<Sequence>,
}

impl<D: Device> Sampler<D> {
    pub(crate) fn new(device: D, model: &Layout, slots: usize) -> Sampler<D> {
        let capacity = 64;
        let decoder = Decoder::new(&device, model, slots, capacity);
        Sampler {
            device,
            decoder,
            slots,
            capacity,
            free: (0..slots).rev().collect(),
            waiting: Vec::new(),
            groups: Vec::new(),
            sequences: Vec::new(),
        }
    }

    pub(crate) fn submit(&mut self, job: Job) {
        self.waiting.insert(0, job);
    }

    pub(crate) fn idle(&self) -> bool {
        self.waiting.is_empty() && self.groups.is_empty()
    }

    /// The rollout that it works for.
    pub(crate) fn rollout(&self) -> Option<u64> {
        self.waiting.last().or_else(|| self.groups.first().map(|group| &group.job)).map(|job| job.rollout)
    }

    /// Forgets all work.
    pub(crate) fn abandon(&mut self) {
        self.waiting.clear();
        self.groups.clear();
        self.sequences.clear();
        self.free = (0..self.slots).rev().collect();
    }

    /// Starts what fits. A group that never would gets a larger cache, once nothing runs.
    fn admit(&mut self, model: &Layout) {
        while let Some(job) = self.waiting.last() {
            let length = job.prompt.len() + job.max_len;
            if length > self.capacity || job.samples > self.slots {
                if !self.groups.is_empty() {
                    return;
                }
                (self.slots, self.capacity) = (self.slots.max(job.samples), self.capacity.max(length));
                self.decoder = Decoder::new(&self.device, model, self.slots, self.capacity);
                self.free = (0..self.slots).rev().collect();
            }
            if job.samples > self.free.len() || job.samples == 0 {
                return;
            }
            let Some(job) = self.waiting.pop() else { return };
            let slots = self.free.split_off(self.free.len() - job.samples);
            self.sequences.push(Sequence {
                group: job.id,
                sample: 0,
                slot: slots[0],
                position: 0,
                token: job.prompt[0],
                random: Random::new(Purpose::Sampling, &[job.seed, 0]),
            });
            let responses = vec![Response::default(); job.samples];
            self.groups.push(Group { running: job.samples, job, slots, responses });
        }
    }

    /// One token for every running sequence. Returns the groups that ended with it.
    pub(crate) fn step(&mut self, model: &Layout, params: &D::Mem) -> Vec<(u64, Vec<Response>)> {
        self.admit(model);
        let batch: Vec<Next> = self
            .sequences
            .iter()
            .map(|sequence| Next { token: sequence.token, position: sequence.position, slot: sequence.slot })
            .collect();
        let logits = self.decoder.step(&self.device, model, params, &batch);
        // The samples of a group part at the end of the prompt: each draws its own first token from the same logits.
        let (mut next, mut draws, mut forks) = (Vec::new(), Vec::new(), Vec::new());
        for (row, mut sequence) in std::mem::take(&mut self.sequences).into_iter().enumerate() {
            let Some(group) = self.groups.iter().find(|group| group.job.id == sequence.group) else { continue };
            let job = &group.job;
            sequence.position += 1;
            if let Some(token) = job.prompt.get(sequence.position) {
                sequence.token = *token;
                next.push(sequence);
                continue;
            }
            let first = sequence.position == job.prompt.len();
            for sample in if first { 0..job.samples } else { sequence.sample..sequence.sample + 1 } {
                if first && sample > 0 {
                    forks.push((sequence.slot, group.slots[sample], sequence.position));
                }
                let random = match first {
                    true => Random::new(Purpose::Sampling, &[job.seed, sample as u64]),
                    false => sequence.random.clone(),
                };
                let slot = group.slots[sample];
                draws.push((row, job.temperature, next.len()));
                next.push(Sequence { sample, slot, random, ..sequence });
            }
        }
        let asked: Vec<(usize, f32, f32)> =
            draws.iter().map(|(row, temperature, at)| (*row, *temperature, next[*at].random.unit())).collect();
        let drawn = self.device.sample(logits, model.shape.vocab_size, &asked);
        for (from, to, positions) in forks {
            self.decoder.fork(&self.device, model, from, to, positions);
        }
        for ((_, _, at), (token, log_prob)) in draws.into_iter().zip(drawn) {
            next[at].token = token;
            self.keep(&next[at], token, log_prob);
        }
        self.sequences = next;
        self.finish()
    }

    fn keep(&mut self, sequence: &Sequence, token: u32, log_prob: f32) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.job.id == sequence.group) {
            let response = &mut group.responses[sequence.sample];
            response.tokens.push(token);
            response.log_probs.push(log_prob);
            response.truncated = token != EOS && response.tokens.len() >= group.job.max_len;
        }
    }

    fn finish(&mut self) -> Vec<(u64, Vec<Response>)> {
        let groups = &mut self.groups;
        self.sequences.retain(|sequence| {
            let Some(group) = groups.iter_mut().find(|group| group.job.id == sequence.group) else { return false };
            let response = &group.responses[sequence.sample];
            let ended = response.truncated || response.tokens.last() == Some(&EOS);
            group.running -= usize::from(ended);
            !ended
        });
        let ended: Vec<Group> = groups.extract_if(.., |group| group.running == 0).collect();
        ended
            .into_iter()
            .map(|group| {
                self.free.extend(group.slots);
                (group.job.id, group.responses)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{argument::Given, config::Config, device::Cpu};

    fn job(id: u64) -> Job {
        let prompt = vec![2, 8 + id as u32, 9, 4];
        Job { id, rollout: 0, prompt, samples: 3, seed: 100 + id, temperature: 1.0, max_len: 12 + id as usize }
    }

    fn run(jobs: &[u64], slots: usize) -> Vec<(u64, Vec<Response>)> {
        let model = Layout::new(&Config::new(&Given::default()).unwrap().shape);
        let params = model.birth(1);
        let mut sampler = Sampler::new(Cpu, &model, slots);
        jobs.iter().for_each(|id| sampler.submit(job(*id)));
        let mut done = Vec::new();
        while !sampler.idle() {
            done.extend(sampler.step(&model, &params));
        }
        done.sort_by_key(|group| group.0);
        done
    }

    #[test]
    fn a_group_does_not_depend_on_its_company() {
        let all = run(&[0, 1, 2, 3, 4, 5], 64);
        assert_eq!(all.len(), 6);
        for (id, responses) in &all {
            assert_eq!(run(&[*id], 2)[0].1, *responses, "alone, in a cache that has to grow");
            assert_ne!(responses[0], responses[1]);
            for response in responses {
                let ended = response.tokens.last() == Some(&EOS);
                assert!(ended != response.truncated && response.tokens.len() <= 12 + *id as usize);
                assert_eq!(response.tokens.len(), response.log_probs.len());
            }
        }
        assert_eq!(run(&[5, 3, 1, 0, 2, 4], 7), all, "few slots, another order");
    }
}
