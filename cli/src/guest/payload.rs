//! Takes a kernel image as it is packaged (bzImage), gives the kernel inside (an ELF file). A guest unpacks its own kernel slowly;
//! here it is done once. Never runs anything.
//!
//! The header is that of Documentation/arch/x86/boot.rst, version 2.08 and later.

use std::io::Read;

/// Larger than any kernel; a damaged image must not fill this machine's memory.
const LARGEST: u64 = 512 << 20;

/// The kernel in the image, or nothing if it is not a bzImage or not packed by zstd or lz4.
pub fn unpack(image: &[u8]) -> Option<Vec<u8>> {
    let number = |at: usize| -> Option<usize> {
        let bytes = image.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let setup_sectors = match image.get(0x1f1)? {
        0 => 4,
        sectors => usize::from(*sectors),
    };
    let start = (setup_sectors + 1) * 512 + number(0x248)?;
    // After the packed data comes its unpacked size, in four bytes.
    let packed = image.get(start..start.checked_add(number(0x24c)?.checked_sub(4)?)?)?;
    let mut kernel = Vec::new();
    match packed {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => read(ruzstd::decoding::StreamingDecoder::new(packed).ok()?, &mut kernel)?,
        [0x02, 0x21, 0x4c, 0x18, ..] => read(lz4_flex::frame::FrameDecoder::new(packed), &mut kernel)?,
        _ => return None,
    }
    kernel.starts_with(b"\x7fELF").then_some(kernel)
}

fn read(packed: impl Read, into: &mut Vec<u8>) -> Option<()> {
    packed.take(LARGEST).read_to_end(into).ok()?;
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// A bzImage of one setup sector around what lz4's legacy format makes of an ELF file of 12 bytes, uncompressed.
    fn image() -> Vec<u8> {
        let mut image = vec![0u8; 1024];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        let kernel = b"\x7fELF-kernel-";
        let block = [&[0xc0][..], kernel].concat();
        let length = u32::try_from(block.len()).unwrap().to_le_bytes();
        let packed = [&[0x02, 0x21, 0x4c, 0x18][..], &length, &block].concat();
        image[0x248..0x24c].copy_from_slice(&0u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&(u32::try_from(packed.len()).unwrap() + 4).to_le_bytes());
        image.extend(packed);
        image.extend(12u32.to_le_bytes());
        image
    }

    #[test]
    fn the_kernel_comes_out() {
        assert_eq!(unpack(&image()).unwrap(), b"\x7fELF-kernel-");
    }

    #[test]
    fn what_is_damaged_gives_nothing() {
        let whole = image();
        for cut in 0..whole.len() - 4 {
            assert_eq!(unpack(&whole[..cut]), None, "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut image = whole.clone();
            image[at] ^= 0xff;
            let _ = unpack(&image);
        }
    }
}
