//! All trained numbers in one flat buffer, with a named window for each tensor.

/// One tensor's place in the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// As messages and files name it, for example `conv1.weight`.
    pub name: String,
    /// Rows and columns, column-major.
    pub shape: [usize; 2],
    /// First element.
    pub offset: usize,
}

impl Tensor {
    /// Its elements in the flat buffer.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.shape[0] * self.shape[1]
    }
}

/// The list of tensors; values and gradients are plain `Vec<f32>` of [`Layout::len`] elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    tensors: Vec<Tensor>,
    len: usize,
}

impl Layout {
    /// Appends a tensor and returns its window.
    pub fn add(&mut self, name: impl Into<String>, shape: [usize; 2]) -> Tensor {
        let tensor = Tensor {
            name: name.into(),
            shape,
            offset: self.len,
        };
        self.len += shape[0] * shape[1];
        self.tensors.push(tensor.clone());
        tensor
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All tensors in order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The tensor that holds element `index`.
    pub fn owner(&self, index: usize) -> Option<&Tensor> {
        self.tensors
            .iter()
            .find(|tensor| tensor.range().contains(&index))
    }
}
