//! A run as a file: parameters with their names, step and recipe.

use std::collections::HashMap;
use std::fmt::Write as _;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use sha2::{Digest as _, Sha256};

use crate::trainer::Trainer;

impl Trainer {
    /// Parameters, step and experiment as a safetensors file, the experiment's TOML in its
    /// metadata; the same bytes for the same run.
    ///
    /// # Errors
    /// If the encoder refuses a tensor.
    pub fn session(&self) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let bytes: Vec<u8> = self
            .params
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let size = size_of::<f32>();
        let mut tensors = Vec::new();
        for tensor in self.model.layout.tensors() {
            let range = tensor.range();
            // Column-major [rows, cols] is row-major [cols, rows], the order of the format.
            let shape = vec![tensor.shape[1], tensor.shape[0]];
            let view = TensorView::new(
                Dtype::F32,
                shape,
                &bytes[range.start * size..range.end * size],
            )?;
            tensors.push((tensor.name.as_str(), view));
        }
        // One entry of metadata: two would stand in another order in every file.
        let step = self.step.to_le_bytes();
        tensors.push(("run.step", TensorView::new(Dtype::U64, vec![1], &step)?));
        let metadata = HashMap::from([("experiment".to_owned(), self.recipe().to_toml())]);
        safetensors::serialize(tensors, Some(metadata))
    }

    /// SHA-256 of all parameters, little-endian, as hexadecimal digits.
    pub fn parameters_sha256(&self) -> String {
        let mut hash = Sha256::new();
        for value in &self.params {
            hash.update(value.to_le_bytes());
        }
        let mut digits = String::new();
        for byte in hash.finalize() {
            let _ = write!(digits, "{byte:02x}"); // writing to a String cannot fail
        }
        digits
    }
}
