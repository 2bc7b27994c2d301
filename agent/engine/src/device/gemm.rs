//! Matrix products: the only file with unsafe code. It checks every bound that the kernels of `gemm` take on trust.
#![allow(unsafe_code)]

use gemm_common::Parallelism;

/// A strided matrix inside a slice.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> View<'a> {
    /// Rows of `stride` values, of which the first `cols` count.
    pub(super) fn new(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> View<'a> {
        View { data, rows, cols, row_stride: stride, col_stride: 1 }
    }

    /// The transpose.
    pub(super) fn t(self) -> View<'a> {
        View { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    fn end(self) -> usize {
        end(self.rows, self.cols, self.row_stride, self.col_stride)
    }
}

fn end(rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> usize {
    if rows == 0 || cols == 0 { 0 } else { (rows - 1) * row_stride + (cols - 1) * col_stride + 1 }
}

/// What happens to the old contents of the result.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Into {
    /// Overwritten.
    Set,
    /// Added to.
    Add,
}

/// `out = scale * a * b` (or `+=`), where `out` has rows of `stride` values.
///
/// An element of the result depends on its row of `a` and its column of `b` only, to the last bit, not on how many other
/// rows there are: what a sample says must not depend on which samples it is decoded with.
pub(super) fn product(out: &mut [f32], stride: usize, a: View, b: View, scale: f32, into: Into) {
    let (rows, cols, depth) = (a.rows, b.cols, a.cols);
    assert_eq!(depth, b.rows, "inner dimensions of a product");
    if rows == 0 || cols == 0 {
        return;
    }
    // The kernels take other paths, with other roundings, for one row and for few results. One row is computed as two,
    // few results with one operand turned over.
    if rows == 1 {
        let mut twice = vec![0.0; 2 * cols];
        if into == Into::Add {
            twice[..cols].copy_from_slice(&out[..cols]);
        }
        let both = View { rows: 2, row_stride: 0, ..a };
        product(&mut twice, cols, both, b, scale, into);
        out[..cols].copy_from_slice(&twice[..cols]);
        return;
    }
    if a.col_stride == 1 && b.row_stride == 1 && rows * cols <= 256 {
        let turned: Vec<f32> =
            (0..depth).flat_map(|k| (0..rows).map(move |i| a.data[i * a.row_stride + k * a.col_stride])).collect();
        return kernel(out, stride, View::new(&turned, depth, rows, rows).t(), b, scale, into);
    }
    kernel(out, stride, a, b, scale, into);
}

/// The kernel works along columns, so the transposed product is what it is asked for: `outᵀ = bᵀ aᵀ`.
fn kernel(out: &mut [f32], stride: usize, a: View, b: View, scale: f32, into: Into) {
    assert!(stride >= b.cols && end(a.rows, b.cols, stride, 1) <= out.len(), "result of a product out of bounds");
    assert!(a.end() <= a.data.len() && b.end() <= b.data.len(), "operand of a product out of bounds");
    // SAFETY: the assertions above hold every address that the kernel forms inside its slice, and `out` is borrowed
    // mutably, so it overlaps neither operand. No stride or length exceeds a slice length, hence none exceeds isize::MAX.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            b.cols,
            a.rows,
            a.cols,
            out.as_mut_ptr(),
            stride as isize,
            1,
            into == Into::Add,
            b.data.as_ptr(),
            b.row_stride as isize,
            b.col_stride as isize,
            a.data.as_ptr(),
            a.row_stride as isize,
            a.col_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    fn noise(n: usize) -> Vec<f32> {
        let mut random = Random::new(Purpose::Weights, &[n as u64]);
        (0..n).map(|_| random.normal()).collect()
    }

    #[test]
    fn products_of_all_strides() {
        let (m, n, k) = (5, 7, 3);
        let (a, b) = (noise(m * k), noise(k * n));
        let slow = |i: usize, j: usize| (0..k).map(|x| a[i * k + x] * b[x * n + j]).sum::<f32>();
        let mut b_turned = vec![0.0; n * k];
        for x in 0..k {
            for j in 0..n {
                b_turned[j * k + x] = b[x * n + j];
            }
        }
        for rhs in [View::new(&b, k, n, n), View::new(&b_turned, n, k, k).t()] {
            let mut out = vec![1.0; m * 10];
            product(&mut out, 10, View::new(&a, m, k, k), rhs, 2.0, Into::Add);
            for i in 0..m {
                for j in 0..n {
                    assert!((out[i * 10 + j] - 1.0 - 2.0 * slow(i, j)).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_company() {
        for (n, k) in [(8, 96), (16, 32), (40, 48), (96, 200), (192, 96)] {
            let (a, w) = (noise(70 * k), noise(n * k));
            let run = |rows: usize, turned: bool| {
                let mut out = vec![0.0; rows * n];
                let w = if turned { View::new(&w, n, k, k).t() } else { View::new(&w, k, n, n) };
                product(&mut out, n, View::new(&a, rows, k, k), w, 1.0, Into::Set);
                out
            };
            for turned in [true, false] {
                let all = run(70, turned);
                for rows in [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 65] {
                    assert_eq!(run(rows, turned), all[..rows * n], "{rows} rows, {n} x {k}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn bounds_are_checked() {
        let data = [0.0; 8];
        product(&mut [0.0; 6], 3, View::new(&data, 2, 4, 5), View::new(&data, 4, 2, 2), 1.0, Into::Set);
    }
}
