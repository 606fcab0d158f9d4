//! What was drawn by hand, as a recipe has it.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

use crate::data::drawing::IMAGE_SIDE;

/// An image of 28×28 pixels row by row, 0 paper to 255 ink; base64 in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Ink(Arc<[u8]>);

/// What is no such image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("picture.drawn must be {} bytes in base64, an image of 28×28 pixels", IMAGE_SIDE * IMAGE_SIDE)]
pub struct InkError;

impl Ink {
    /// The pixels.
    pub fn image(&self) -> &Arc<[u8]> {
        &self.0
    }
}

impl TryFrom<Arc<[u8]>> for Ink {
    type Error = InkError;

    fn try_from(image: Arc<[u8]>) -> Result<Self, InkError> {
        let is_image = image.len() == IMAGE_SIDE * IMAGE_SIDE;
        is_image.then_some(Self(image)).ok_or(InkError)
    }
}

impl TryFrom<String> for Ink {
    type Error = InkError;

    fn try_from(text: String) -> Result<Self, InkError> {
        let bytes = BASE64_STANDARD
            .decode(text)
            .map_err(|_not_base64| InkError)?;
        Self::try_from(Arc::from(bytes))
    }
}

impl From<Ink> for String {
    fn from(ink: Ink) -> Self {
        BASE64_STANDARD.encode(&ink.0)
    }
}
