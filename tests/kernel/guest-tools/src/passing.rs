//! A server of FUSE: takes a file and a folder, shows in the folder one file, `file`, with the content of the other, until it is
//! unmounted. The kernel passes reads on to that one where it can (since 6.9), else the server reads it; it never writes.

use crate::sys;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const READ: u32 = 15;
const RELEASE: u32 = 18;
const FLUSH: u32 = 25;
const INIT: u32 = 26;

/// Where the body of a request begins.
const BODY: usize = 40;
/// Of the flags, and of those behind the first 32: more flags follow; the server may pass on.
const MORE_FLAGS: u32 = 1 << 30;
const PASSTHROUGH: u32 = 1 << 5;
const OPENED_PASSTHROUGH: u32 = 1 << 7;

/// `passing FILE FOLDER`: serves until the file system is unmounted.
pub fn passing(words: &[String]) -> Result<bool, String> {
    let [file, folder] = words else {
        return Err("passing takes: FILE FOLDER".into());
    };
    serve(Path::new(file), Path::new(folder)).map_err(|error| format!("cannot serve `{file}`: {error}"))?;
    Ok(true)
}

fn serve(file: &Path, folder: &Path) -> io::Result<()> {
    let file = File::open(file)?;
    let size = u32::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut device = File::options().read(true).write(true).open("/dev/fuse")?;
    sys::mount_fuse(&device, folder)?;
    let mut request = vec![0; 1 << 17];
    loop {
        match device.read(&mut request) {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(()),
            Err(_) => continue,
        }
        let code = word(&request, 1);
        let root = word(&request, 4) == 1;
        let body = match code {
            FORGET => continue,
            INIT => Ok(bytes(&[7, 38, 1 << 16, MORE_FLAGS, 0, 1 << 16, 0, 0, PASSTHROUGH, 1, 0, 0, 0, 0, 0, 0])),
            LOOKUP if request.get(BODY..).is_some_and(|name| name.starts_with(b"file\0")) => {
                Ok(bytes(&[&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0], &attributes(false, size)[..]].concat()))
            }
            LOOKUP => Err(libc::ENOENT),
            GETATTR => Ok(bytes(&[&[0; 4], &attributes(root, size)[..]].concat())),
            OPEN => Ok(bytes(&sys::pass_on(&device, &file).map_or([0; 4], |number| [0, 0, OPENED_PASSTHROUGH, number]))),
            READ => {
                let mut content = vec![0; word(&request, BODY / 4 + 4) as usize];
                let read = file.read_at(&mut content, word(&request, BODY / 4 + 2).into());
                read.map_err(|_| libc::EIO).map(|read| content.into_iter().take(read).collect())
            }
            FLUSH | RELEASE => Ok(Vec::new()),
            _ => Err(libc::ENOSYS),
        };
        let (error, body) = body.map_or_else(|error| (-error, Vec::new()), |body| (0, body));
        let length = u32::try_from(16 + body.len()).map_err(io::Error::other)?;
        let answer = [&length.to_le_bytes(), &error.to_le_bytes(), request.get(8..16).unwrap_or_default(), &body[..]].concat();
        // who asked may be gone
        drop(device.write(&answer));
    }
}

/// A word of a request.
fn word(request: &[u8], number: usize) -> u32 {
    request.chunks_exact(4).nth(number).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// `struct fuse_attr`: the inode's number, its size, 11 words of blocks and times, mode and links, owners and device, block size, flags.
fn attributes(root: bool, size: u32) -> [u32; 22] {
    let (number, mode) = if root { (1, 0o040_755) } else { (2, 0o100_755) };
    [number, 0, size, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0]
}
