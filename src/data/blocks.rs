//! Images in memory, usable from the first block on while the rest is still being decoded.

use std::io::Read;
use std::sync::OnceLock;

use super::idx::{IdxError, IdxReader};

/// Images in one block: about 32 batches of 128, and 12 ms of decoding.
pub(super) const BLOCK_LEN: usize = 4096;

/// Images of one size as bytes, in blocks that are filled in order, once, by one thread.
///
/// A block that will never come is `None`, so that nobody waits for it for ever.
#[derive(Debug)]
pub(super) struct ImageBlocks {
    blocks: Box<[OnceLock<Option<Vec<u8>>>]>,
    item_len: usize,
}

impl ImageBlocks {
    /// Room for `n_images` of `item_len` bytes; nothing is decoded yet.
    pub(super) fn new(n_images: usize, item_len: usize) -> Self {
        let blocks = (0..n_images.div_ceil(BLOCK_LEN))
            .map(|_| OnceLock::new())
            .collect();
        Self { blocks, item_len }
    }

    /// Fills all blocks from `reader`, in order.
    ///
    /// However it ends, by an error or even by a panic, no block stays unset.
    pub(super) fn fill<R: Read>(&self, mut reader: IdxReader<R>) -> Result<(), IdxError> {
        let _closed_in_the_end = CloseRest(self);
        let Some((last, blocks)) = self.blocks.split_last() else {
            return Ok(());
        };
        for block in blocks {
            let items = reader.read_items(BLOCK_LEN)?;
            block.get_or_init(|| Some(items));
        }
        let items = reader.read_rest()?;
        last.get_or_init(|| Some(items));
        Ok(())
    }

    /// The bytes of image `row`; waits until it is decoded.
    ///
    /// # Panics
    /// If decoding failed. For the embedded files it cannot: their sums are checked before anybody
    /// gets hold of their blocks, and a test decodes them to the end.
    pub(super) fn wait_for(&self, row: usize) -> &[u8] {
        #[expect(
            clippy::expect_used,
            reason = "the sums of the embedded bytes were checked"
        )]
        let block = self.blocks[row / BLOCK_LEN]
            .wait()
            .as_ref()
            .expect("images whose SHA-256 fits inflate");
        self.item(block, row)
    }

    /// The bytes of image `row` if it is decoded already; never waits.
    pub(super) fn if_ready(&self, row: usize) -> Option<&[u8]> {
        let block = self.blocks.get(row / BLOCK_LEN)?.get()?.as_ref()?;
        Some(self.item(block, row))
    }

    fn item<'a>(&self, block: &'a [u8], row: usize) -> &'a [u8] {
        let start = row % BLOCK_LEN * self.item_len;
        &block[start..start + self.item_len]
    }
}

/// Marks what is still empty as never to come.
struct CloseRest<'a>(&'a ImageBlocks);

impl Drop for CloseRest<'_> {
    fn drop(&mut self) {
        for block in &self.0.blocks {
            block.get_or_init(|| None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stack of `n` images of one byte each, `n_there` of them really there.
    fn stack(n: usize, n_there: usize) -> Vec<u8> {
        let mut file = vec![0, 0, 8, 1];
        file.extend((n as u32).to_be_bytes());
        file.extend((0..n_there).map(|i| (i % 251) as u8));
        file
    }

    #[test]
    fn every_image_is_found_in_its_block() {
        let n = 2 * BLOCK_LEN + 7;
        let blocks = ImageBlocks::new(n, 1);
        assert_eq!(blocks.if_ready(0), None);
        blocks
            .fill(IdxReader::new(&stack(n, n)[..], 1).unwrap())
            .unwrap();
        for row in [0, 1, BLOCK_LEN - 1, BLOCK_LEN, 2 * BLOCK_LEN, n - 1] {
            assert_eq!(blocks.wait_for(row), [(row % 251) as u8]);
            assert_eq!(blocks.if_ready(row), Some(blocks.wait_for(row)));
        }
        assert_eq!(blocks.if_ready(3 * BLOCK_LEN), None);
    }

    #[test]
    fn nobody_waits_for_ever_for_what_does_not_come() {
        let n = 3 * BLOCK_LEN;
        let blocks = ImageBlocks::new(n, 1);
        let file = stack(n, BLOCK_LEN + 1);
        blocks
            .fill(IdxReader::new(&file[..], 1).unwrap())
            .unwrap_err();
        assert_eq!(blocks.wait_for(0), [0]);
        assert_eq!(blocks.if_ready(BLOCK_LEN), None);
        let waiting = std::panic::catch_unwind(|| blocks.wait_for(BLOCK_LEN).len());
        assert!(waiting.is_err(), "bytes were made up");
    }
}
