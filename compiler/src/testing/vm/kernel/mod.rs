//! Takes field names and values, keeps an emulated kernel's objects: its types with offsets of its own, their BTF, the
//! objects in memory. Never has the layout of a real kernel, so a program that did not relocate reads nonsense.

mod btf;
mod namespaces;
mod types;
mod unix;
mod world;
#[cfg(test)]
mod world_tests;

pub use types::{Flavour, Place, Ty, Types};
pub use unix::UnixSocket;
pub use world::{FileSpec, HUGETLBFS, Location, Mount, Namespace, S_IFREG, TMPFS, TaskSpec, World};

use super::env::Env;
use super::mem::{Kind, Memory, Region};

/// The types of the emulated kernel, as text.
pub const TYPES: &str = include_str!("types.txt");

/// A function of the kernel that programs can ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// its name
    pub name: String,
    /// the structs that its arguments point to; none for a number
    pub arguments: Vec<Option<String>>,
}

/// The function by which programs read memory of any type, on kernels that have it.
pub const CAST: &str = "bpf_rdonly_cast";

/// An emulated kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// its types
    pub types: Types,
    /// its functions
    pub functions: Vec<Function>,
    /// its memory
    pub mem: Memory,
    /// the current task, the clock, what helpers left
    pub env: Env,
}

impl Kernel {
    /// A kernel with the types of `types.txt`; each seed gives other offsets.
    pub fn new(flavour: Flavour, seed: u64) -> Result<Kernel, String> {
        Kernel::with_types(TYPES, flavour, seed)
    }

    /// A kernel with other types.
    pub fn with_types(text: &str, flavour: Flavour, seed: u64) -> Result<Kernel, String> {
        let mut kernel =
            Kernel { types: Types::parse(text, flavour, seed)?, functions: Vec::new(), mem: Memory::default(), env: Env::default() };
        if flavour != Flavour::Old {
            kernel.functions.push(Function { name: CAST.to_owned(), arguments: vec![None, None] });
        }
        Ok(kernel)
    }

    /// Its types as BTF.
    pub fn btf(&self) -> Vec<u8> {
        btf::encode(&self.types, &self.functions)
    }

    /// A new object: fields are zero, the bytes between them are not.
    pub fn alloc(&mut self, name: &str) -> Result<u64, String> {
        let c = self.types.get(name).ok_or_else(|| format!("the kernel has no struct `{name}`"))?;
        let mut bytes = vec![0xa5; c.size as usize];
        for m in &c.members {
            let start = m.offset as usize;
            if let Some(field) = bytes.get_mut(start..start + self.types.size_align(&m.ty).0 as usize) {
                field.fill(0);
            }
        }
        Ok(self.mem.map(Region::new(Kind::Kernel, &format!("a `{name}`"), bytes)))
    }

    /// New kernel memory that holds `bytes`; as an allocator does, rounded up to 8 bytes, the rest garbage.
    pub fn alloc_bytes(&mut self, name: &str, bytes: &[u8]) -> u64 {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(8), 0xa5);
        self.mem.map(Region::new(Kind::Kernel, name, bytes))
    }

    /// New memory of user space that holds `bytes`.
    pub fn alloc_user(&mut self, bytes: &[u8]) -> u64 {
        self.mem.map(Region::new(Kind::User, "user memory", bytes.to_vec()))
    }

    /// Whether the kernel has this type or field.
    pub fn has(&self, path: &str) -> bool {
        self.types.place(path).is_ok()
    }

    /// Bytes from the start of the struct to `struct.member…`.
    pub fn offset(&self, path: &str) -> Result<u64, String> {
        self.types.place(path).map(|p| u64::from(p.offset))
    }

    /// Sets the field `struct.member…` of the object at `addr`.
    pub fn set(&mut self, addr: u64, path: &str, value: u64) -> Result<(), String> {
        let place = self.types.place(path)?;
        let bytes = value.to_le_bytes();
        let bytes = bytes.get(..place.size as usize).ok_or_else(|| format!("`{path}` is no number"))?;
        self.poke(addr + u64::from(place.offset), bytes, path)
    }

    /// Sets the first bytes of the field; the others become 0.
    pub fn set_bytes(&mut self, addr: u64, path: &str, value: &[u8]) -> Result<(), String> {
        let place = self.types.place(path)?;
        let mut bytes = value.to_vec();
        if bytes.len() > place.size as usize {
            return Err(format!("{} bytes do not fit `{path}`", bytes.len()));
        }
        bytes.resize(place.size as usize, 0);
        self.poke(addr + u64::from(place.offset), &bytes, path)
    }

    /// The number in a field.
    pub fn get(&self, addr: u64, path: &str) -> Result<u64, String> {
        let place = self.types.place(path)?;
        let read = self.mem.read(addr + u64::from(place.offset), u64::from(place.size.min(8)));
        read.map_err(|e| format!("`{path}` of {addr:#x} cannot be read: {e}"))
    }

    fn poke(&mut self, addr: u64, bytes: &[u8], path: &str) -> Result<(), String> {
        self.mem.poke(addr, bytes).map_err(|e| format!("`{path}` of {addr:#x} cannot be set: {e}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn offsets_differ_by_seed_and_stay_the_same_for_one() {
        let offsets = |seed| {
            let k = Kernel::new(Flavour::Old, seed).unwrap();
            ["dentry.d_parent", "task_struct.comm", "file.f_path.dentry", "mount.mnt"].map(|p| k.offset(p).unwrap())
        };
        assert_eq!(offsets(1), offsets(1));
        assert_ne!(offsets(1), offsets(2));
    }

    #[test]
    fn flavours_and_fixed_layouts() {
        let (old, new) = (Kernel::new(Flavour::Old, 3).unwrap(), Kernel::new(Flavour::New, 3).unwrap());
        assert!(old.has("dentry.d_iname[8]") && !old.has("dentry.d_shortname.string"));
        assert!(!new.has("dentry.d_iname") && new.has("dentry.d_shortname.string[39]") && !new.has("dentry.d_shortname.string[40]"));
        assert_eq!(new.offset("sockaddr_in6.sin6_addr").unwrap(), 8);
        assert_eq!(new.offset("qstr.len").unwrap(), new.offset("qstr.hash_len").unwrap() + 4);
        assert_eq!(new.types.place("inode.i_uid.val").unwrap().size, 4);
    }

    #[test]
    fn objects_have_zero_fields_and_garbage_between() {
        let mut k = Kernel::new(Flavour::New, 5).unwrap();
        let d = k.alloc("dentry").unwrap();
        k.set(d, "dentry.d_flags", 7).unwrap();
        k.set_bytes(d, "dentry.d_shortname.string", b"etc").unwrap();
        assert_eq!((k.get(d, "dentry.d_flags").unwrap(), k.get(d, "dentry.d_parent").unwrap()), (7, 0));
        assert_eq!(k.get(d, "dentry.d_shortname.string").unwrap(), u64::from_le_bytes(*b"etc\0\0\0\0\0"));
        assert!(k.set(d, "dentry.nothing", 1).is_err() && k.set(d, "dentry.d_name", 1).is_err());
        assert!(k.set(d + 1000, "dentry.d_flags", 1).is_err());
    }

    #[test]
    fn the_btf_parses_and_names_the_types() {
        let k = Kernel::new(Flavour::New, 9).unwrap();
        let btf = aya_obj::btf::Btf::parse(&k.btf(), Default::default()).unwrap();
        for name in ["task_struct", "dentry", "qstr", "linux_binprm", "sockaddr_in"] {
            btf.id_by_type_name_kind(name, aya_obj::btf::BtfKind::Struct).unwrap();
        }
        btf.id_by_type_name_kind("shortname_store", aya_obj::btf::BtfKind::Union).unwrap();
        btf.id_by_type_name_kind("kuid_t", aya_obj::btf::BtfKind::Typedef).unwrap();
    }
}
