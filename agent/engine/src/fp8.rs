//! Weights as 128x128 blocks of fp8 e4m3 with one scale each, as slime quantises them when it sends weights to SGLang.

use crate::model::{Layout, Tensor};

const BLOCK: usize = 128;
const LARGEST: f32 = 448.0;

/// e4m3fn: sign, 4 bits of exponent (bias 7), 3 of mantissa, no infinity, one NaN. Round to nearest even, saturating.
fn encode(x: f32) -> u8 {
    let sign = if x.is_sign_negative() { 0x80 } else { 0 };
    if x.is_nan() {
        return sign | 0x7f;
    }
    let x = x.abs().min(LARGEST);
    // Below 2^-6 numbers are multiples of 2^-9: adding 2^14 leaves just those bits, rounded to nearest even by the FPU.
    if x < 1.0 / 64.0 {
        return sign | ((x + 16_384.0).to_bits() - 16_384.0f32.to_bits()) as u8;
    }
    // Rebias the exponent, and round the 20 bits of mantissa that go.
    let bits = x.to_bits() - (120 << 23);
    sign | ((bits + 0x7_ffff + ((bits >> 20) & 1)) >> 20) as u8
}

fn decode(code: u8) -> f32 {
    let (exponent, mantissa) = (i32::from(code >> 3 & 15), f32::from(code & 7));
    let size = match (exponent, code & 7) {
        (15, 7) => f32::NAN,
        (0, _) => mantissa / 512.0,
        _ => (1.0 + mantissa / 8.0) * 2f32.powi(exponent - 7),
    };
    if code & 0x80 == 0 { size } else { -size }
}

/// The blocks of a matrix, row by row: rows and columns of each.
fn blocks(rows: usize, cols: usize) -> impl Iterator<Item = (std::ops::Range<usize>, std::ops::Range<usize>)> {
    let spans = |n: usize| (0..n).step_by(BLOCK).map(move |start| start..(start + BLOCK).min(n));
    spans(rows).flat_map(move |rows| spans(cols).map(move |cols| (rows.clone(), cols)))
}

/// What goes over the wire: for a quantised tensor its scales, then its codes; for another its values.
pub(crate) fn pack(layout: &Layout, weights: &[f32]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * layout.len);
    for tensor in &layout.tensors {
        let values = &weights[tensor.range()];
        match tensor {
            Tensor { quantised: true, rows, cols: Some(cols), .. } => quantise(values, *rows, *cols, &mut out),
            _ => values.iter().for_each(|value| out.extend(value.to_le_bytes())),
        }
    }
    out
}

fn quantise(values: &[f32], rows: usize, cols: usize, out: &mut Vec<u8>) {
    let mut codes = vec![0; values.len()];
    for (rows, columns) in blocks(rows, cols) {
        let places = || rows.clone().flat_map(|row| columns.clone().map(move |col| row * cols + col));
        let largest = places().fold(1e-10, |largest: f32, at| largest.max(values[at].abs()));
        let scale = largest / LARGEST;
        let inverse = 1.0 / scale;
        places().for_each(|at| codes[at] = encode((values[at] * inverse).clamp(-LARGEST, LARGEST)));
        out.extend(scale.to_le_bytes());
    }
    out.extend(codes);
}

/// The weights that the rollout shards compute with. None when the bytes are not of this layout.
pub(crate) fn unpack(layout: &Layout, bytes: &[u8]) -> Option<Vec<f32>> {
    let table: Vec<f32> = (0..=255).map(decode).collect();
    let mut weights = Vec::with_capacity(layout.len);
    let mut rest = bytes;
    let mut take = |n: usize| {
        let (taken, left) = rest.split_at_checked(n)?;
        rest = left;
        Some(taken)
    };
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    for tensor in &layout.tensors {
        let len = tensor.range().len();
        match tensor {
            Tensor { quantised: true, rows, cols: Some(cols), .. } => {
                let scales = floats(take(4 * blocks(*rows, *cols).count())?);
                let codes = take(len)?;
                let start = weights.len();
                weights.resize(start + len, 0.0);
                for ((rows, columns), scale) in blocks(*rows, *cols).zip(scales) {
                    for at in rows.flat_map(|row| columns.clone().map(move |col| row * cols + col)) {
                        weights[start + at] = table[codes[at] as usize] * scale;
                    }
                }
            }
            _ => weights.extend(floats(take(4 * len)?)),
        }
    }
    rest.is_empty().then_some(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{argument::Given, config::Config};

    #[test]
    fn all_codes_survive() {
        for code in 0..=255 {
            let value = decode(code);
            assert_eq!(encode(value), code, "{value}");
        }
        assert_eq!((decode(0x7e), decode(0x01), decode(0x08)), (448.0, 1.0 / 512.0, 1.0 / 64.0));
    }

    #[test]
    fn rounds_to_nearest_even_and_saturates() {
        for code in 0..0x7e_u8 {
            let (low, high) = (decode(code), decode(code + 1));
            let middle = 0.5 * (low + high);
            let even = if code % 2 == 0 { code } else { code + 1 };
            assert_eq!(encode(middle), even, "tie between {low} and {high}");
            assert_eq!(encode(-middle), even | 0x80);
            assert_eq!(encode(middle.next_down()), code);
            assert_eq!(encode(middle.next_up()), code + 1);
        }
        for large in [448.1, 464.0, 1e9, f32::INFINITY] {
            assert_eq!((encode(large), encode(-large)), (0x7e, 0xfe));
        }
        assert_eq!(encode(f32::NAN) & 0x7f, 0x7f);
    }

    #[test]
    fn weights_come_back_close_and_the_rest_exactly() {
        let layout = Layout::new(&Config::new(&Given::default()).unwrap().shape);
        let weights = layout.birth(3);
        let bytes = pack(&layout, &weights);
        let back = unpack(&layout, &bytes).unwrap();
        for tensor in &layout.tensors {
            let (was, is) = (&weights[tensor.range()], &back[tensor.range()]);
            if tensor.quantised {
                // Half a step of the mantissa, or of the smallest numbers.
                let largest = was.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
                assert!(
                    was.iter().zip(is).all(|(a, b)| (a - b).abs() <= a.abs() / 16.0 + largest / 448.0 / 1024.0 * 1.01)
                );
                assert_ne!(was, is);
            } else {
                assert_eq!(was, is, "{}", tensor.name);
            }
        }
        assert_eq!(pack(&layout, &back).len(), bytes.len());
        assert!(unpack(&layout, &bytes[1..]).is_none());
    }

    #[test]
    fn a_block_has_its_own_scale() {
        let (rows, cols) = (130, 200);
        let values: Vec<f32> =
            (0..rows * cols).map(|at| if at % cols < 128 && at / cols < 128 { 1.0 } else { 1e-3 }).collect();
        let mut out = Vec::new();
        quantise(&values, rows, cols, &mut out);
        let scales: Vec<f32> = out[..16].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert_eq!(scales, [1.0 / 448.0, 1e-3 / 448.0, 1e-3 / 448.0, 1e-3 / 448.0]);
        assert!(out[16..].iter().all(|code| *code == 0x7e));
    }
}
