//! The one function all matrix products go through.
//!
//! Matrices are views into slices with strides, so that a transpose costs nothing: the `gemm`
//! crate packs strided operands, where nalgebra's transposing products fall into a plain loop
//! (measured 8 times slower).

/// A read-only matrix view, column-major unless transposed.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    data: &'a [f32],
    n_rows: usize,
    n_cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Mat<'a> {
    /// `[n_rows, n_cols]`, column after column.
    ///
    /// # Panics
    /// If `data` is shorter than the matrix: a fault of the caller, never of user input.
    pub fn new(data: &'a [f32], n_rows: usize, n_cols: usize) -> Self {
        assert!(
            data.len() >= n_rows * n_cols,
            "matrix view outside its buffer"
        );
        Self {
            data,
            n_rows,
            n_cols,
            row_stride: 1,
            col_stride: n_rows,
        }
    }

    /// The transpose, without moving anything.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            n_rows: self.n_cols,
            n_cols: self.n_rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
}

/// What happens to the values that `out` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// They are overwritten.
    Replace,
    /// The product is added to them.
    Add,
}

/// `out` = (or +=) `a`·`b`, with `out` `[a.n_rows, b.n_cols]` column-major. One thread, and the
/// same bits for the same shapes on one kind of processor.
///
/// # Panics
/// If the sizes disagree: a fault of the caller, never of user input.
#[expect(
    unsafe_code,
    reason = "the gemm crate's only interface takes raw pointers; sizes are asserted here"
)]
pub fn matmul(out: &mut [f32], into: Into, a: Mat<'_>, b: Mat<'_>) {
    let (m, n, k) = (a.n_rows, b.n_cols, a.n_cols);
    assert_eq!(a.n_cols, b.n_rows, "inner sizes of a matrix product");
    assert!(out.len() >= m * n, "matrix product outside its buffer");
    if m == 0 || n == 0 {
        return;
    }
    // SAFETY: `Mat::new` has checked that every element of `a` and `b` lies in its slice, `out`
    // holds m·n elements and cannot overlap them (it is borrowed mutably).
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            m as isize,
            1,
            into == Into::Add,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_transposes_agree_with_the_definition() {
        let (m, n, k) = (3, 4, 5);
        let a: Vec<f32> = (0..m * k).map(|i| i as f32 * 0.5 - 3.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| 2.0 - i as f32 * 0.25).collect();
        let mut out = vec![1.0; m * n];
        // a stored as its own transpose [k, m], b as [k, n]
        matmul(
            &mut out,
            Into::Add,
            Mat::new(&a, k, m).t(),
            Mat::new(&b, k, n),
        );
        for col in 0..n {
            for row in 0..m {
                let expected: f32 =
                    1.0 + (0..k).map(|i| a[row * k + i] * b[col * k + i]).sum::<f32>();
                assert!((out[col * m + row] - expected).abs() < 1e-4);
            }
        }
    }
}
