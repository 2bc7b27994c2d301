//! The CPU: `gemm` for the products, plain loops that the compiler vectorises for the rest. One thread; the callers
//! spread micro-batches over threads.

mod attention;
mod cached;
mod elementwise;
mod math;
mod norm;
mod optimizer;
mod router;
mod score;

use std::ops::Range;

use super::{
    AdamW, Columns, Device, Heads, Matrix, Place, Router, Routing, Scores, Vector,
    gemm::{Into, View, product},
};

/// This machine's processor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu;

impl Device for Cpu {
    type Mem = Vec<f32>;

    fn upload(&self, host: &[f32]) -> Vec<f32> {
        host.to_vec()
    }

    fn download(&self, mem: &Vec<f32>) -> Vec<f32> {
        mem.clone()
    }

    fn fit(&self, mem: &mut Vec<f32>, len: usize) {
        mem.resize(len, 0.0);
    }

    fn zero(&self, mem: &mut Vec<f32>, len: usize) {
        mem.clear();
        mem.resize(len, 0.0);
    }

    fn copy(&self, from: &Vec<f32>, to: &mut Vec<f32>) {
        to.clone_from(from);
    }

    fn add(&self, from: &Vec<f32>, to: &mut Vec<f32>) {
        elementwise::add(from, to);
    }

    fn add_at(&self, host: &[f32], at: Vector, params: &mut Vec<f32>) {
        elementwise::add(host, &mut params[at.range()]);
    }

    fn sum_of_squares(&self, mem: &Vec<f32>) -> f64 {
        // Blocks in f32 lanes, blocks summed in f64: fast, and precise enough to compare with.
        mem.chunks(1024).map(|block| f64::from(math::dot(block, block))).sum()
    }

    fn embed(&self, params: &Vec<f32>, table: Matrix, tokens: &[u32], out: &mut Vec<f32>) {
        let table_rows = &params[table.range()];
        for (row, token) in out.chunks_exact_mut(table.cols).zip(tokens) {
            row.copy_from_slice(&table_rows[*token as usize * table.cols..][..table.cols]);
        }
    }

    fn embed_backward(&self, dout: &Vec<f32>, table: Matrix, tokens: &[u32], grads: &mut Vec<f32>) {
        let table_rows = &mut grads[table.range()];
        for (row, token) in dout.chunks_exact(table.cols).zip(tokens) {
            elementwise::add(row, &mut table_rows[*token as usize * table.cols..][..table.cols]);
        }
    }

    fn linear(&self, x: &Vec<f32>, rows: Range<usize>, w: (&Vec<f32>, Matrix), y: &mut Vec<f32>, add: bool) {
        let Matrix { rows: outs, cols: ins, .. } = w.1;
        let x = View::new(&x[rows.start * ins..rows.end * ins], rows.len(), ins, ins);
        let w = View::new(&w.0[w.1.range()], outs, ins, ins);
        let y = &mut y[rows.start * outs..rows.end * outs];
        product(y, outs, x, w.t(), 1.0, if add { Into::Add } else { Into::Set });
    }

    fn linear_backward(
        &self,
        x: &Vec<f32>,
        rows: Range<usize>,
        w: (&Vec<f32>, Matrix),
        dy: &Vec<f32>,
        dx: &mut Vec<f32>,
        grads: &mut Vec<f32>,
    ) {
        let Matrix { rows: outs, cols: ins, .. } = w.1;
        let dy = View::new(&dy[rows.start * outs..rows.end * outs], rows.len(), outs, outs);
        let weights = View::new(&w.0[w.1.range()], outs, ins, ins);
        product(&mut dx[rows.start * ins..rows.end * ins], ins, dy, weights, 1.0, Into::Add);
        let x = View::new(&x[rows.start * ins..rows.end * ins], rows.len(), ins, ins);
        product(&mut grads[w.1.range()], ins, dy.t(), x, 1.0, Into::Add);
    }

    fn norm(&self, x: &Vec<f32>, at: Columns, gain: (&Vec<f32>, Vector), y: &mut Vec<f32>, inverse: &mut Vec<f32>) {
        norm::forward(x, at, &gain.0[gain.1.range()], y, inverse);
    }

    fn norm_backward(
        &self,
        x: &Vec<f32>,
        at: Columns,
        gain: (&Vec<f32>, Vector),
        inverse: &Vec<f32>,
        dy: &Vec<f32>,
        dx: &mut Vec<f32>,
        grads: &mut Vec<f32>,
    ) {
        norm::backward(x, at, &gain.0[gain.1.range()], inverse, dy, dx, &mut grads[gain.1.range()]);
    }

    fn rope(&self, x: &mut Vec<f32>, at: Columns, positions: &[u32], back: bool) {
        elementwise::rope(x, at, positions, back);
    }

    fn attention(
        &self,
        heads: Heads,
        segments: &[Range<usize>],
        q: &Vec<f32>,
        kv: &Vec<f32>,
        keys: (&Vec<f32>, Columns),
        out: &mut Vec<f32>,
        probs: &mut Vec<f32>,
    ) {
        attention::forward(heads, segments, q, kv, (keys.0, keys.1), out, probs);
    }

    fn attention_backward(
        &self,
        heads: Heads,
        segments: &[Range<usize>],
        q: (&Vec<f32>, &mut Vec<f32>),
        kv: (&Vec<f32>, &mut Vec<f32>),
        keys: (&Vec<f32>, &mut Vec<f32>, Columns),
        probs: &Vec<f32>,
        dout: &Vec<f32>,
    ) {
        attention::backward(heads, segments, (q.0, q.1), (kv.0, kv.1), (keys.0, keys.1, keys.2), probs, dout);
    }

    fn attend_cached(
        &self,
        heads: Heads,
        q: &Vec<f32>,
        kv_b: (&Vec<f32>, Matrix),
        latent: &Vec<f32>,
        keys: (&Vec<f32>, Columns),
        cache: &mut Vec<f32>,
        places: &[Place],
        out: &mut Vec<f32>,
    ) {
        cached::append(heads, latent, (keys.0, keys.1), cache, places);
        cached::attend(heads, q, &kv_b.0[kv_b.1.range()], cache, places, out);
    }

    fn fork_cache(&self, heads: Heads, cache: &mut Vec<f32>, capacity: usize, from: usize, to: usize, rows: usize) {
        let width = heads.latent + heads.rope;
        cache.copy_within(from * capacity * width..(from * capacity + rows) * width, to * capacity * width);
    }

    fn swiglu(&self, x: &Vec<f32>, width: usize, h: &mut Vec<f32>) {
        elementwise::swiglu(x, width, h);
    }

    fn swiglu_backward(&self, x: &Vec<f32>, width: usize, dh: &Vec<f32>, dx: &mut Vec<f32>) {
        elementwise::swiglu_backward(x, width, dh, dx);
    }

    fn route(&self, router: Router, logits: &Vec<f32>, bias: (&Vec<f32>, Vector), rows: usize) -> Routing {
        router::forward(router, &logits[..rows * router.experts], &bias.0[bias.1.range()])
    }

    fn route_backward(
        &self,
        router: Router,
        logits: &Vec<f32>,
        routing: &Routing,
        dweights: &[f32],
        dlogits: &mut Vec<f32>,
    ) {
        router::backward(router, logits, routing, dweights, dlogits);
    }

    fn dispatch(&self, x: &Vec<f32>, width: usize, routing: &Routing, out: &mut Vec<f32>) {
        for (row, token) in out.chunks_exact_mut(width).zip(&routing.tokens) {
            row.copy_from_slice(&x[*token as usize * width..][..width]);
        }
    }

    fn dispatch_backward(&self, dout: &Vec<f32>, width: usize, routing: &Routing, dx: &mut Vec<f32>) {
        for (row, token) in dout.chunks_exact(width).zip(&routing.tokens) {
            elementwise::add(row, &mut dx[*token as usize * width..][..width]);
        }
    }

    fn combine(&self, y: &Vec<f32>, width: usize, routing: &Routing, out: &mut Vec<f32>) {
        for ((row, token), weight) in y.chunks_exact(width).zip(&routing.tokens).zip(&routing.weights) {
            math::axpy(*weight, row, &mut out[*token as usize * width..][..width]);
        }
    }

    fn combine_backward(
        &self,
        y: &Vec<f32>,
        width: usize,
        routing: &Routing,
        dout: &Vec<f32>,
        dy: &mut Vec<f32>,
    ) -> Vec<f32> {
        let slots = routing.tokens.iter().zip(&routing.weights);
        slots
            .zip(y.chunks_exact(width).zip(dy.chunks_exact_mut(width)))
            .map(|((token, weight), (y, dy))| {
                let dout = &dout[*token as usize * width..][..width];
                math::axpy(*weight, dout, dy);
                math::dot(y, dout)
            })
            .collect()
    }

    fn score(&self, logits: &Vec<f32>, vocab: usize, targets: &[u32], temperature: f32) -> Scores {
        score::forward(logits, vocab, targets, temperature)
    }

    fn score_backward(
        &self,
        logits: &Vec<f32>,
        vocab: usize,
        targets: &[u32],
        temperature: f32,
        dscores: &Scores,
        dlogits: &mut Vec<f32>,
    ) {
        score::backward(logits, vocab, targets, temperature, dscores, dlogits);
    }

    fn sample(&self, logits: &Vec<f32>, vocab: usize, asked: &[(usize, f32, f32)]) -> Vec<(u32, f32)> {
        asked
            .iter()
            .map(|(row, temperature, uniform)| score::draw(&logits[row * vocab..][..vocab], *temperature, *uniform))
            .collect()
    }

    fn adamw(
        &self,
        params: &mut Vec<f32>,
        grads: &Vec<f32>,
        moments: (&mut Vec<f32>, &mut Vec<f32>),
        decayed: &[Range<usize>],
        rates: AdamW,
    ) {
        optimizer::adamw(params, grads, moments.0, moments.1, decayed, rates);
    }
}
