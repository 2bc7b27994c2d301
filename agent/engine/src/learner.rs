//! Gradients over micro-batches on several threads, and the optimizer step.
//!
//! Micro-batches are dealt to a fixed number of lanes; a lane sums its gradients in order, and lanes are summed in order.
//! So the result is the same to the last bit whatever the number of threads.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::{
    device::{AdamW, Device, Scores},
    model::{Layout, Packed, Tape, backward, forward},
};

const LANES: usize = 4;

/// Weights, moments and the memory that training needs.
pub(crate) struct Learner<D: Device> {
    pub(crate) device: D,
    pub(crate) model: Layout,
    pub(crate) params: D::Mem,
    pub(crate) moments: (D::Mem, D::Mem),
    grads: D::Mem,
    lanes: Vec<Lane<D::Mem>>,
}

#[derive(Default)]
struct Lane<M> {
    tape: Tape<M>,
    dlogits: M,
    grads: M,
    totals: Vec<f64>,
    loads: Vec<Vec<u64>>,
}

/// What one micro-batch's loss is: gradients of its scores, and totals for the metrics.
pub(crate) type Loss<'a> = dyn Fn(usize, &Scores) -> (Scores, Vec<f64>) + Sync + 'a;

/// It was told to stop before it was done.
#[derive(Debug)]
pub(crate) struct Interrupted;

/// What [`Learner::gradient`] found.
pub(crate) struct Gradient {
    /// Sums of what the loss returned.
    pub(crate) totals: Vec<f64>,
    /// L2 norm of the gradient.
    pub(crate) norm: f64,
    /// Tokens by layer and expert.
    pub(crate) loads: Vec<Vec<u64>>,
}

impl<D: Device> Learner<D> {
    pub(crate) fn new(device: D, model: Layout, weights: &[f32]) -> Learner<D> {
        let params = device.upload(weights);
        let mut learner = Learner {
            device,
            params,
            moments: Default::default(),
            grads: Default::default(),
            lanes: (0..LANES).map(|_| Lane::default()).collect(),
            model,
        };
        learner.forget();
        learner
    }

    /// Moments of an optimizer that has taken no step.
    pub(crate) fn forget(&mut self) {
        self.device.zero(&mut self.moments.0, self.model.len);
        self.device.zero(&mut self.moments.1, self.model.len);
    }

    /// Runs `work` on every lane, with the indices of its micro-batches.
    fn on_lanes(&mut self, count: usize, work: impl Fn(&D, &Layout, &D::Mem, &mut Lane<D::Mem>, usize) + Sync) {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(LANES);
        let (device, model, params, work) = (&self.device, &self.model, &self.params, &work);
        let run = move |lanes: Vec<(usize, &mut Lane<D::Mem>)>| {
            for (first, lane) in lanes {
                (first..count).step_by(LANES).for_each(|index| work(device, model, params, lane, index));
            }
        };
        let mut shares: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            shares[index % threads].push((index, lane));
        }
        thread::scope(|scope| {
            let mine = shares.pop();
            for share in shares {
                scope.spawn(move || run(share));
            }
            mine.into_iter().for_each(run);
        });
    }

    /// Scores of every row, micro-batch by micro-batch.
    pub(crate) fn score(
        &mut self,
        batches: &[Packed],
        temperature: f32,
        stop: &AtomicBool,
    ) -> Result<Vec<Scores>, Interrupted> {
        let results: Vec<std::sync::Mutex<Scores>> = batches.iter().map(|_| Default::default()).collect();
        self.on_lanes(batches.len(), |device, model, params, lane, index| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let batch = &batches[index];
            forward(device, model, params, batch, &mut lane.tape);
            let scores = device.score(&lane.tape.logits, model.shape.vocab_size, &batch.targets(), temperature);
            if let Ok(mut result) = results[index].lock() {
                *result = scores;
            }
        });
        if stop.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        Ok(results.into_iter().map(|result| result.into_inner().unwrap_or_default()).collect())
    }

    /// The gradient of a loss over all micro-batches, ready for [`Learner::update`].
    pub(crate) fn gradient(
        &mut self,
        batches: &[Packed],
        temperature: f32,
        stop: &AtomicBool,
        loss: &Loss,
    ) -> Result<Gradient, Interrupted> {
        let len = self.model.len;
        for lane in &mut self.lanes {
            self.device.zero(&mut lane.grads, len);
            lane.totals.clear();
            lane.loads.clear();
        }
        self.on_lanes(batches.len(), |device, model, params, lane, index| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let (batch, vocab) = (&batches[index], model.shape.vocab_size);
            forward(device, model, params, batch, &mut lane.tape);
            let targets = batch.targets();
            let scores = device.score(&lane.tape.logits, vocab, &targets, temperature);
            let (dscores, totals) = loss(index, &scores);
            device.zero(&mut lane.dlogits, batch.tokens.len() * vocab);
            device.score_backward(&lane.tape.logits, vocab, &targets, temperature, &dscores, &mut lane.dlogits);
            backward(device, model, params, batch, &lane.tape, &lane.dlogits, &mut lane.grads);
            sum_into(&mut lane.totals, &totals);
            lane.loads.resize(model.layers.len(), Vec::new());
            for (layer, loads) in lane.tape.loads() {
                sum_into(&mut lane.loads[layer], &loads.iter().map(|load| *load as u64).collect::<Vec<_>>());
            }
        });
        if stop.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        let mut found = Gradient { totals: Vec::new(), norm: 0.0, loads: vec![Vec::new(); self.model.layers.len()] };
        self.device.zero(&mut self.grads, len);
        for lane in &self.lanes {
            self.device.add(&lane.grads, &mut self.grads);
            sum_into(&mut found.totals, &lane.totals);
            found.loads.iter_mut().zip(&lane.loads).for_each(|(sum, loads)| sum_into(sum, loads));
        }
        found.norm = self.device.sum_of_squares(&self.grads).sqrt();
        Ok(found)
    }

    /// One optimizer step with the last gradient, clipped to `clip` (0: not clipped).
    pub(crate) fn update(&mut self, rates: AdamW, norm: f64, clip: f64) {
        let grad_scale = if clip > 0.0 && norm > clip { (clip / (norm + 1e-6)) as f32 } else { 1.0 };
        let moments = (&mut self.moments.0, &mut self.moments.1);
        let decayed = self.model.decayed();
        self.device.adamw(&mut self.params, &self.grads, moments, &decayed, AdamW { grad_scale, ..rates });
    }
}

impl<D: Device> Learner<D> {
    /// DeepSeek-V3's load balancing without a loss: an expert with more than its share becomes a little less likely to be
    /// chosen, the others a little more.
    pub(crate) fn balance(&mut self, loads: &[Vec<u64>], rate: f32) {
        if rate == 0.0 {
            return;
        }
        for (layer, loads) in self.model.layers.iter().zip(loads) {
            let Some(moe) = &layer.moe else { continue };
            let mean = loads.iter().sum::<u64>() as f32 / loads.len() as f32;
            let change: Vec<f32> = loads.iter().map(|load| rate * (mean - *load as f32).signum()).collect();
            self.device.add_at(&change, moe.bias, &mut self.params);
        }
    }
}

fn sum_into<T: Copy + Default + std::ops::AddAssign>(sum: &mut Vec<T>, values: &[T]) {
    sum.resize(sum.len().max(values.len()), T::default());
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += *value;
    }
}
