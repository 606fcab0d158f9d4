//! Layers, forward next to backward: CNN, MLP, free embeddings.
//!
//! nalgebra's order throughout: matrices are column-major and a sample is a contiguous column.
//! All parameters of a network and its head live in one flat buffer, described by a [`Layout`].

pub mod activation;
pub mod conv;
pub mod dense;
pub mod image;
pub mod matmul;
pub mod params;
mod thin;
mod tile;

use std::fmt;
use std::ops::Range;

use rand::Rng;

pub use activation::Activation;
use activation::ActivationLayer;
use conv::{Conv, ConvWork};
use dense::Dense;
use image::ImageShape;
use matmul::{Into, PackedWeight};
pub use params::{Layout, Tensor};

/// Which network maps inputs to features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// 5×5 stride 2 × 16, 5×5 stride 2 × 32, 128, dim; for images only.
    Cnn,
    /// Dense layers with these hidden sizes.
    Mlp(Vec<usize>),
    /// Free embeddings: the features themselves are the parameters.
    None,
}

/// Widest hidden layer that is accepted; keeps a slip of the finger from filling the memory.
pub const WIDEST_LAYER: usize = 4096;

/// A network that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// None of the three kinds.
    #[error("unknown network \"{0}\"; expected cnn, mlp:256,128 or none")]
    Unknown(String),
    /// A hidden size that is no number or out of range.
    #[error(
        "hidden layer \"{0}\" of mlp is not a whole number in 1..={WIDEST_LAYER}; write for example mlp:256,128"
    )]
    HiddenSize(String),
}

impl std::str::FromStr for NetworkKind {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, sizes) = text.split_once(':').unwrap_or((text, ""));
        match (kind.trim(), sizes.trim()) {
            ("cnn", "") => Ok(Self::Cnn),
            ("none", "") => Ok(Self::None),
            ("mlp", "") if !text.contains(':') => Ok(Self::Mlp(vec![256, 128])),
            ("mlp", sizes) => sizes
                .split(',')
                .map(parse_hidden)
                .collect::<Result<_, _>>()
                .map(Self::Mlp),
            _ => Err(NetworkError::Unknown(text.to_owned())),
        }
    }
}

fn parse_hidden(text: &str) -> Result<usize, NetworkError> {
    text.trim()
        .parse()
        .ok()
        .filter(|size| (1..=WIDEST_LAYER).contains(size))
        .ok_or_else(|| NetworkError::HiddenSize(text.trim().to_owned()))
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cnn => write!(f, "cnn"),
            Self::Mlp(sizes) => {
                let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
                write!(f, "mlp:{}", sizes.join(","))
            }
            Self::None => write!(f, "none"),
        }
    }
}

#[derive(Clone, Debug)]
enum Layer {
    Conv(Conv),
    Dense(Dense),
    Activation(ActivationLayer),
}

/// How many times larger than U(±1/√inputs) dense weights start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// On weights of the inputs.
    pub first: f32,
    /// On all other weights.
    pub others: f32,
}

impl Gain {
    /// As PyTorch does, for images.
    pub const ONE: Self = Self {
        first: 1.0,
        others: 1.0,
    };
    /// For points of the plane: variance is kept from layer to layer (He et al. 2015,
    /// arXiv 1502.01852, eq. 10: U(±√(6/inputs))), and made 1 of the inputs', whose coordinates
    /// deviate by about ½.
    ///
    /// With [`Gain::ONE`] it shrinks to a third in every layer, until biases are nearly all of a
    /// feature: the plane starts on a short arc, and a map from the plane to the circle that winds
    /// too little cannot be mended, since no gradient of a cosine head points through the center.
    pub const POINTS: Self = Self {
        first: 2.0 * SQRT_6,
        others: SQRT_6,
    };
}

const SQRT_6: f32 = 2.449_489_7;

/// A feed-forward network: inputs `[inputs, n]` to features `[dim, n]`.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<Layer>,
    /// Numbers per sample before layer 0, between layers, and after the last.
    widths: Vec<usize>,
}

/// The matrix product of a layer: `[n_outputs, n_inputs]` times `[n_inputs, n_columns]` for each
/// sample. The gradients of its weights and of its inputs are products of the same size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductShape {
    /// The layer, as messages and files name it.
    pub layer: String,
    /// Rows of the weight.
    pub n_outputs: usize,
    /// Columns of the weight; the taps of a kernel.
    pub n_inputs: usize,
    /// Columns per sample; the output pixels of a convolution, 1 for a dense layer.
    pub n_columns: usize,
}

impl ProductShape {
    /// Operations of this product for so many samples: two for each multiplication and addition.
    pub fn n_flops(&self, n_samples: usize) -> f64 {
        2.0 * (self.n_outputs * self.n_inputs) as f64 * (self.n_columns * n_samples) as f64
    }

    fn of(weight: &Tensor, n_columns: usize) -> Self {
        let name = weight.name.as_str();
        Self {
            layer: name.strip_suffix(".weight").unwrap_or(name).to_owned(),
            n_outputs: weight.shape[0],
            n_inputs: weight.shape[1],
            n_columns,
        }
    }
}

/// Activations of one chunk of samples, allocated once.
#[derive(Clone, Debug, Default)]
pub struct NetworkWork {
    /// Output of each layer, `[width, n]`.
    outputs: Vec<Vec<f32>>,
    /// ∂L/∂output of each layer, `[width, n]`; that of an activation's input stands with the layer
    /// before it.
    grads: Vec<Vec<f32>>,
    convs: Vec<ConvWork>,
}

/// Weights in the order in which the passes read them, made once for all parts of a batch.
#[derive(Clone, Debug, Default)]
pub struct PackedWeights {
    /// For each layer; those without weights stay empty.
    layers: Vec<PackedWeight>,
}

impl PackedWeights {
    /// With the parameters from which they were made.
    pub fn beside<'a>(&'a self, values: &'a [f32]) -> Parameters<'a> {
        Parameters {
            values,
            packed: self,
        }
    }
}

/// Parameters as the passes take them.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// The flat buffer.
    pub values: &'a [f32],
    /// What [`Network::pack`] made of it.
    pub packed: &'a PackedWeights,
}

/// Columns of the weight of a dense layer, whose gradient is a product over the whole batch.
#[derive(Clone, Debug)]
pub struct WeightBlock {
    /// Its elements in the flat buffer.
    pub range: Range<usize>,
    layer: usize,
    columns: Range<usize>,
}

impl Network {
    /// A multilayer perceptron with these sizes from input to features.
    pub fn mlp(
        n_inputs: usize,
        hidden: &[usize],
        dim: usize,
        activation: Activation,
        layout: &mut Layout,
    ) -> Self {
        let mut network = Self {
            layers: Vec::new(),
            widths: vec![n_inputs],
        };
        network.push_dense_stack(hidden, dim, activation, layout);
        network
    }

    /// The small LeNet that trains live, for grey images of this height and width.
    pub fn cnn(
        height: usize,
        width: usize,
        dim: usize,
        activation: Activation,
        layout: &mut Layout,
    ) -> Self {
        let mut image = ImageShape {
            height,
            width,
            channels: 1,
        };
        let mut network = Self {
            layers: Vec::new(),
            widths: vec![image.len()],
        };
        for (i, channels) in [16, 32].into_iter().enumerate() {
            let name = format!("conv{}", i + 1);
            let conv = Conv::new(&name, image, channels, 2, 2, layout);
            image = conv.output();
            network.push(Layer::Conv(conv), image.len());
            network.push_activation(&name, activation, layout);
        }
        network.push_dense_stack(&[128], dim, activation, layout);
        network
    }

    fn push(&mut self, layer: Layer, n_outputs: usize) {
        self.layers.push(layer);
        self.widths.push(n_outputs);
    }

    fn push_activation(&mut self, name: &str, activation: Activation, layout: &mut Layout) {
        let width = self.n_features();
        self.push(
            Layer::Activation(ActivationLayer::new(name, activation, layout)),
            width,
        );
    }

    fn push_dense_stack(
        &mut self,
        hidden: &[usize],
        dim: usize,
        activation: Activation,
        layout: &mut Layout,
    ) {
        for (i, &size) in hidden.iter().chain([&dim]).enumerate() {
            let name = format!("dense{}", i + 1);
            let dense = Dense::new(&name, self.n_features(), size, layout);
            self.push(Layer::Dense(dense), size);
            if i < hidden.len() {
                self.push_activation(&name, activation, layout);
            }
        }
    }

    fn n_features(&self) -> usize {
        self.widths.last().copied().unwrap_or(0)
    }

    /// Operations of a training step's products for one sample: forward, gradient of the weights,
    /// and gradient of the inputs, which the first layer does not need.
    pub fn n_flops(&self) -> f64 {
        let products = self.products();
        let layers = products.iter().enumerate().map(|(i, product)| {
            let n_passes = if i == 0 { 2.0 } else { 3.0 };
            n_passes * product.n_flops(1)
        });
        layers.sum()
    }

    /// The products of a forward pass, from the inputs on.
    pub fn products(&self) -> Vec<ProductShape> {
        let products = self.layers.iter().filter_map(|layer| match layer {
            Layer::Conv(conv) => Some(conv.product()),
            Layer::Dense(dense) => Some(dense.product()),
            Layer::Activation(_) => None,
        });
        products.collect()
    }

    /// Draws all parameters.
    pub fn init(&self, params: &mut [f32], gain: Gain, rng: &mut impl Rng) {
        for (i, layer) in self.layers.iter().enumerate() {
            let gain = if i == 0 { gain.first } else { gain.others };
            match layer {
                Layer::Conv(conv) => conv.init(params, rng),
                Layer::Dense(dense) => dense.init(params, gain, rng),
                Layer::Activation(activation) => activation.init(params),
            }
        }
    }

    /// Brings the weights into the order of the passes, on as many threads as they are worth. To be
    /// done again after each change of the parameters.
    pub fn pack(&self, params: &[f32], packed: &mut PackedWeights) {
        packed
            .layers
            .resize(self.layers.len(), PackedWeight::default());
        for (i, (layer, packed)) in self.layers.iter().zip(&mut packed.layers).enumerate() {
            let is_backward_wanted = i > 0;
            match layer {
                Layer::Conv(conv) => conv.pack(params, is_backward_wanted, packed),
                Layer::Dense(dense) => dense.pack(params, is_backward_wanted, packed),
                Layer::Activation(_) => {}
            }
        }
    }

    /// Features `[dim, n]` of inputs `[inputs, n]`; they stay in `work` for the backward pass.
    pub fn forward<'w>(
        &self,
        params: Parameters<'_>,
        inputs: &[f32],
        n: usize,
        work: &'w mut NetworkWork,
    ) -> &'w [f32] {
        work.outputs.resize(self.layers.len(), Vec::new());
        work.convs.resize(self.layers.len(), ConvWork::default());
        let Parameters { values, packed } = params;
        for (i, (layer, packed)) in self.layers.iter().zip(&packed.layers).enumerate() {
            let (before, after) = work.outputs.split_at_mut(i);
            let input: &[f32] = before.last().map_or(inputs, |output| output);
            let output = &mut after[0];
            output.resize(self.widths[i + 1] * n, 0.0);
            match layer {
                Layer::Conv(conv) => {
                    conv.forward(values, packed, input, n, output, &mut work.convs[i]);
                }
                Layer::Dense(dense) => dense.forward(values, packed, input, n, output),
                Layer::Activation(activation) => activation.forward(values, input, output),
            }
        }
        self.features(work)
    }

    /// The features that the last forward pass left.
    pub fn features<'w>(&self, work: &'w NetworkWork) -> &'w [f32] {
        work.outputs.last().map_or(&[], |output| output)
    }

    /// Writes the gradients of all parameters but the weights of dense layers to `grads`, given
    /// ∂L/∂features `[dim, n]`.
    pub fn backward(
        &self,
        params: Parameters<'_>,
        inputs: &[f32],
        n: usize,
        grad_features: &[f32],
        work: &mut NetworkWork,
        grads: &mut [f32],
    ) {
        let NetworkWork {
            outputs,
            grads: grad_outputs,
            convs,
        } = work;
        grad_outputs.resize(self.layers.len(), Vec::new());
        if let Some(last) = grad_outputs.last_mut() {
            last.clear();
            last.extend_from_slice(grad_features);
        }
        let Parameters { values, packed } = params;
        for (i, (layer, packed)) in self.layers.iter().zip(&packed.layers).enumerate().rev() {
            let input: &[f32] = if i == 0 { inputs } else { &outputs[i - 1] };
            let (before, after) = grad_outputs.split_at_mut(i);
            let (before, grad) = (before.last_mut(), &mut after[0]);
            if let Layer::Activation(activation) = layer {
                activation.backward(values, input, grad, grads);
                if let Some(before) = before {
                    before.resize(grad.len(), 0.0); // two buffers from the first step on
                    std::mem::swap(before, grad);
                }
                continue; // in place: this already is the gradient at its input
            }
            let wanted = before.map(|before| {
                before.resize(self.widths[i] * n, 0.0);
                before.as_mut_slice()
            });
            match layer {
                Layer::Conv(conv) => {
                    conv.backward(packed, input, n, grad, grads, wanted, &mut convs[i]);
                }
                Layer::Dense(dense) => dense.backward(packed, n, grad, grads, wanted),
                Layer::Activation(_) => {}
            }
        }
    }

    /// The weights of all dense layers in blocks of about `len` elements, in the order of the
    /// buffer.
    pub fn weight_blocks(&self, len: usize) -> impl Iterator<Item = WeightBlock> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(move |(layer, kind)| {
            let blocks = match kind {
                Layer::Dense(dense) => Some(dense.weight_blocks(len)),
                _ => None,
            };
            let blocks = blocks.into_iter().flatten();
            blocks.map(move |(columns, range)| WeightBlock {
                range,
                layer,
                columns,
            })
        })
    }

    /// The gradient of a block of weights: the sum over chunks of samples, in their order, of what
    /// they left in their work, given their inputs.
    pub fn weight_gradient<'w>(
        &self,
        block: &WeightBlock,
        chunks: impl Iterator<Item = (&'w [f32], &'w NetworkWork)>,
        out: &mut [f32],
    ) {
        let Layer::Dense(dense) = &self.layers[block.layer] else {
            return; // no other layer has blocks
        };
        for (i, (inputs, work)) in chunks.enumerate() {
            let input = match block.layer {
                0 => inputs,
                layer => &work.outputs[layer - 1],
            };
            let into = if i == 0 { Into::Replace } else { Into::Add };
            let grad = &work.grads[block.layer];
            dense.weight_gradient(block.columns.clone(), input, grad, into, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    /// f32 central differences of Σ c·features, twice.
    ///
    /// With slope 1 the network is linear in each single parameter, so that differences are exact
    /// at any step: a long one leaves rounding of about 1e-6/h. With slope 0.25 each of the pixels
    /// that a bias moves across the kink changes the difference by up to 0.75 of its share, so that
    /// the step must be short: rounding of 1e-7/h, relative to the least scale of 0.05, is 1e-2.
    #[track_caller]
    fn check_gradients(network: &Network, layout: &Layout, n_inputs: usize, dim: usize) {
        check_gradients_at(network, layout, [n_inputs, dim], Some(1.0), 0.1, 1e-3);
        check_gradients_at(network, layout, [n_inputs, dim], None, 3e-4, 2e-2);
    }

    #[track_caller]
    fn check_gradients_at(
        network: &Network,
        layout: &Layout,
        [n_inputs, dim]: [usize; 2],
        slope: Option<f32>,
        h: f32,
        tolerance: f64,
    ) {
        let n = 3;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut params = vec![0.0; layout.len()];
        network.init(&mut params, Gain::ONE, &mut rng);
        for tensor in layout
            .tensors()
            .iter()
            .filter(|t| t.name.ends_with("slope"))
        {
            params[tensor.offset] = slope.unwrap_or(params[tensor.offset]);
        }
        let mut inputs = vec![0.0; n_inputs * n];
        dense::init_uniform(&mut inputs, 1, &mut rng);
        let mut c = vec![0.0; dim * n];
        dense::init_uniform(&mut c, 1, &mut rng);
        let mut work = NetworkWork::default();
        let mut packed = PackedWeights::default();
        let mut value = |params: &[f32]| -> f64 {
            network.pack(params, &mut packed);
            let features = network.forward(packed.beside(params), &inputs, n, &mut work);
            features
                .iter()
                .zip(&c)
                .map(|(&x, &c)| f64::from(x) * f64::from(c))
                .sum()
        };
        let mut grads = vec![0.0; layout.len()];
        let mut backward_work = NetworkWork::default();
        let mut packed = PackedWeights::default();
        network.pack(&params, &mut packed);
        let parameters = packed.beside(&params);
        network.forward(parameters, &inputs, n, &mut backward_work);
        network.backward(parameters, &inputs, n, &c, &mut backward_work, &mut grads);
        for block in network.weight_blocks(16) {
            let chunk = (inputs.as_slice(), &backward_work);
            let out = &mut grads[block.range.clone()];
            network.weight_gradient(&block, [chunk].into_iter(), out);
        }
        for tensor in layout.tensors() {
            let range = tensor.range();
            for index in range.clone().step_by((range.len() / 7).max(1)) {
                let old = params[index];
                params[index] = old + h;
                let up = value(&params);
                params[index] = old - h;
                let down = value(&params);
                params[index] = old;
                let numeric = (up - down) / f64::from(2.0 * h);
                let scale = 0.05_f64.max(numeric.abs());
                let error = (numeric - f64::from(grads[index])).abs() / scale;
                assert!(
                    error < tolerance,
                    "{}[{index}]: {} against {numeric}",
                    tensor.name,
                    grads[index]
                );
            }
        }
    }

    #[test]
    fn gradients_of_an_mlp_agree_with_differences() {
        let mut layout = Layout::default();
        let network = Network::mlp(5, &[7, 4], 3, Activation::Prelu, &mut layout);
        check_gradients(&network, &layout, 5, 3);
    }

    #[test]
    fn gradients_of_the_cnn_agree_with_differences() {
        let mut layout = Layout::default();
        let network = Network::cnn(11, 9, 2, Activation::Prelu, &mut layout);
        check_gradients(&network, &layout, 99, 2);
    }

    #[test]
    fn network_kinds_read_back_what_they_print() {
        for text in ["cnn", "mlp:256,128", "mlp:8", "none"] {
            assert_eq!(
                text.parse::<NetworkKind>().map(|kind| kind.to_string()),
                Ok(text.to_owned())
            );
        }
        assert!("mlp:0".parse::<NetworkKind>().is_err());
        assert!("cnn:3".parse::<NetworkKind>().is_err());
    }
}
