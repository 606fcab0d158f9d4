//! Matrices as NPY files, version 1.0 (NumPy Enhancement Proposal 1).

/// A row-major `[n_rows, n_cols]` matrix of little-endian f32.
pub fn matrix(values: &[f32], n_rows: usize, n_cols: usize) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    const ALIGNMENT: usize = 64;
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_rows}, {n_cols}), }}");
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_begins_at_a_multiple_of_64() {
        let bytes = matrix(&[1.0, 2.0], 1, 2);
        assert_eq!(bytes.len(), 128 + 8);
        assert_eq!(&bytes[128..132], &1.0_f32.to_le_bytes());
        assert_eq!(bytes[127], b'\n');
    }
}
