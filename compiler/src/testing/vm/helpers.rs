//! Takes a helper's number and arguments, does what the kernel's helper does to memory, maps and environment.
//!
//! Never emulates a helper half: one that is not here is a fault.

use super::env::Signal;
use super::exec::{Machine, Regs};
use super::fault::Wrong;
use super::map::{EINVAL, Map};
use super::mem;
use crate::bpf::{helper_id, helper_name};

const EFAULT: i64 = -14;
const ENAMETOOLONG: i64 = -36;
const E2BIG: i64 = -7;
/// Most rounds of `bpf_loop`.
const MAX_LOOPS: u64 = 1 << 23;

type Done<T> = Result<T, Wrong>;

impl Machine<'_> {
    /// Calls helper number `id`; gives r0.
    pub(super) fn helper(&mut self, id: i32, regs: &Regs) -> Done<u64> {
        let name = helper_name(id).ok_or(Wrong::Helper(id))?;
        let call = Call { name, regs };
        let signed = |v: i64| v.cast_unsigned();
        match name {
            "bpf_map_lookup_elem" => {
                let (map, key) = self.map_and_key(&call)?;
                Ok(self.map(map, &call)?.lookup(&key).unwrap_or(0))
            }
            "bpf_map_update_elem" => self.map_update(&call).map(signed),
            "bpf_map_delete_elem" => self.map_delete(&call).map(signed),
            "bpf_ringbuf_output" => self.ring_output(&call).map(signed),
            "bpf_ringbuf_reserve" => self.ring_reserve(&call),
            "bpf_ringbuf_submit" => self.ring_commit(&call, false),
            "bpf_ringbuf_discard" => self.ring_commit(&call, true),
            "bpf_ringbuf_query" => self.ring_query(&call),
            "bpf_probe_read_kernel" | "bpf_probe_read_user" | "bpf_copy_from_user" | "bpf_probe_read" => self.probe_read(&call).map(signed),
            "bpf_probe_read_kernel_str" | "bpf_probe_read_user_str" | "bpf_probe_read_str" => self.probe_read_str(&call).map(signed),
            "bpf_get_current_comm" => {
                let (to, len) = (call.arg(1)?, call.size(2)?);
                let mut comm: Vec<u8> = self.env.task.comm.iter().copied().chain(std::iter::repeat(0)).take(len).collect();
                if let Some(last) = comm.last_mut() {
                    *last = 0;
                }
                self.write(to, &comm)?;
                Ok(0)
            }
            "bpf_d_path" => self.d_path(&call).map(signed),
            "bpf_strncmp" => self.strncmp(&call).map(signed),
            "bpf_loop" => self.repeat(&call).map(signed),
            "bpf_send_signal" | "bpf_send_signal_thread" => {
                if self.env.signal_error != 0 {
                    return Ok(signed(self.env.signal_error));
                }
                self.env.signals.push(Signal { number: call.arg(1)? as u32, thread: name.ends_with("thread") });
                Ok(0)
            }
            "bpf_skc_to_unix_sock" => {
                let sock = call.arg(1)?;
                Ok(if self.env.unix_socks.contains(&sock) { sock } else { 0 })
            }
            "bpf_bprm_opts_set" => {
                self.env.bprm_opts.push(call.arg(2)?);
                Ok(0)
            }
            _ => self.plain(id),
        }
    }

    /// Calls function number `id` of the kernel: there is the cast to a type, which gives the address back.
    pub(super) fn kfunc(&self, id: i32, regs: &Regs) -> Done<u64> {
        let (_, types) = self.cast.filter(|(cast, _)| *cast == id).ok_or(Wrong::Kfunc(id))?;
        if (1..=types).contains(&regs.get(2)?) { regs.get(1) } else { Err(Wrong::Kfunc(id)) }
    }

    /// Helpers without arguments that matter.
    fn plain(&mut self, id: i32) -> Done<u64> {
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let env = &mut *self.env;
        match helper_name(id).unwrap_or_default() {
            "bpf_ktime_get_ns" | "bpf_ktime_get_boot_ns" | "bpf_ktime_get_coarse_ns" => Ok(env.time),
            "bpf_get_prandom_u32" => Ok(u64::from(env.next_random())),
            "bpf_get_smp_processor_id" => Ok(u64::from(env.cpu)),
            "bpf_get_current_pid_tgid" => Ok(pair(env.task.tgid, env.task.pid)),
            "bpf_get_current_uid_gid" => Ok(pair(env.task.gid, env.task.uid)),
            "bpf_get_current_task" | "bpf_get_current_task_btf" => Ok(env.task.addr),
            "bpf_task_pt_regs" => Ok(env.registers),
            "bpf_get_attach_cookie" => Ok(env.cookie),
            "bpf_get_current_cgroup_id" => Ok(env.cgroup),
            _ => Err(Wrong::Helper(id)),
        }
    }

    fn map_index(&self, call: &Call<'_>, arg: u8) -> Done<usize> {
        let index = call.arg(arg)?.wrapping_sub(mem::MAP_HANDLE);
        let index = usize::try_from(index).ok().filter(|i| *i < self.maps.len());
        index.ok_or_else(|| call.wrong(format!("r{arg} is no map")))
    }

    fn map(&mut self, index: usize, call: &Call<'_>) -> Done<&mut Map> {
        self.maps.get_mut(index).ok_or_else(|| call.wrong("no such map".to_owned()))
    }

    fn map_and_key(&mut self, call: &Call<'_>) -> Done<(usize, Vec<u8>)> {
        let map = self.map_index(call, 1)?;
        let len = u64::from(self.map(map, call)?.def.key_size);
        if len == 0 {
            return Err(call.wrong("the map has no keys".to_owned()));
        }
        Ok((map, self.read(call.arg(2)?, len)?))
    }

    fn map_update(&mut self, call: &Call<'_>) -> Done<i64> {
        let (map, key) = self.map_and_key(call)?;
        let def = &self.map(map, call)?.def;
        if def.flags & super::map::RDONLY_PROG != 0 {
            return Err(call.wrong(format!("`{}` is read-only", def.name)));
        }
        let len = u64::from(def.value_size);
        let value = self.read(call.arg(3)?, len)?;
        let flags = call.arg(4)?;
        let Some(m) = self.maps.get_mut(map) else { return Ok(EINVAL) };
        Ok(m.update(&key, &value, flags, self.mem))
    }

    fn map_delete(&mut self, call: &Call<'_>) -> Done<i64> {
        let (map, key) = self.map_and_key(call)?;
        match self.map(map, call)?.delete(&key) {
            Ok(addr) => {
                self.garbage.push(addr);
                Ok(0)
            }
            Err(errno) => Ok(errno),
        }
    }

    fn ring_output(&mut self, call: &Call<'_>) -> Done<i64> {
        let map = self.map_index(call, 1)?;
        let bytes = self.read(call.arg(2)?, call.arg(3)?)?;
        let Some(ring) = self.maps.get_mut(map) else { return Ok(EINVAL) };
        let addr = ring.reserve(bytes.len() as u64, self.mem);
        if addr == 0 {
            return Ok(-11);
        }
        let _ = self.mem.poke(addr, &bytes);
        ring.commit(addr, false, self.mem);
        Ok(0)
    }

    fn ring_reserve(&mut self, call: &Call<'_>) -> Done<u64> {
        let map = self.map_index(call, 1)?;
        let size = call.arg(2)?;
        let Some(ring) = self.maps.get_mut(map) else { return Ok(0) };
        Ok(ring.reserve(size, self.mem))
    }

    fn ring_commit(&mut self, call: &Call<'_>, discard: bool) -> Done<u64> {
        let addr = call.arg(1)?;
        let done = self.maps.iter_mut().any(|m| m.commit(addr, discard, self.mem));
        if done { Ok(0) } else { Err(call.wrong("r1 is no reserved record".to_owned())) }
    }

    fn ring_query(&mut self, call: &Call<'_>) -> Done<u64> {
        let map = self.map_index(call, 1)?;
        let what = call.arg(2)?;
        let ring = self.map(map, call)?;
        match what {
            0 => Ok(ring.ring_used()),
            1 => Ok(u64::from(ring.def.max_entries)),
            _ => Err(call.wrong(format!("the question {what} is not emulated"))),
        }
    }

    fn probe_read(&mut self, call: &Call<'_>) -> Done<i64> {
        let (to, len, from) = (call.arg(1)?, call.size(2)?, call.arg(3)?);
        let user = call.name.contains("user");
        match self.probe(from, len as u64, user) {
            Some(bytes) => self.write(to, &bytes).map(|()| 0),
            // The destination is zeroed on failure.
            None => self.write(to, &vec![0; len]).map(|()| EFAULT),
        }
    }

    /// Memory as the kernel's fault-tolerant copy sees it.
    fn probe(&self, from: u64, len: u64, user: bool) -> Option<Vec<u8>> {
        let (_, region) = self.mem.region(from)?;
        if (region.kind == mem::Kind::User) != user {
            return None;
        }
        self.mem.bytes(from, len).ok().map(<[u8]>::to_vec)
    }

    fn probe_read_str(&mut self, call: &Call<'_>) -> Done<i64> {
        let (to, len, from) = (call.arg(1)?, call.size(2)?, call.arg(3)?);
        if len == 0 {
            return Ok(0);
        }
        let user = call.name.contains("user");
        let mut out = Vec::new();
        while out.len() + 1 < len {
            match self.probe(from.wrapping_add(out.len() as u64), 1, user).as_deref() {
                Some([0]) => break,
                Some([byte]) => out.push(*byte),
                _ => return self.write(to, &vec![0; len]).map(|()| EFAULT),
            }
        }
        out.push(0);
        self.write(to, &out)?;
        Ok(out.len() as i64)
    }

    fn d_path(&mut self, call: &Call<'_>) -> Done<i64> {
        let (path, to, len) = (call.arg(1)?, call.arg(2)?, call.size(3)?);
        let text = self.env.d_paths.get(&path).cloned();
        let mut text = text.ok_or_else(|| call.wrong(format!("the test gives no path for {path:#x}")))?;
        text.push(0);
        if text.len() > len {
            return Ok(ENAMETOOLONG);
        }
        self.write(to, &text)?;
        Ok(text.len() as i64)
    }

    fn strncmp(&mut self, call: &Call<'_>) -> Done<i64> {
        let (a, b) = (self.read(call.arg(1)?, call.arg(2)?)?, call.arg(3)?);
        for (i, x) in a.iter().enumerate() {
            let y = self.read(b.wrapping_add(i as u64), 1)?.first().copied().unwrap_or(0);
            if *x != y || *x == 0 {
                return Ok(i64::from(*x) - i64::from(y));
            }
        }
        Ok(0)
    }

    /// `bpf_loop(rounds, callback, context, flags)`: gives the rounds that were made.
    fn repeat(&mut self, call: &Call<'_>) -> Done<i64> {
        let (rounds, func, context, flags) = (call.arg(1)? & 0xffff_ffff, call.arg(2)?, call.arg(3)?, call.arg(4)?);
        if flags != 0 {
            return Ok(EINVAL);
        }
        if rounds > MAX_LOOPS {
            return Ok(E2BIG);
        }
        let start = usize::try_from(func.wrapping_sub(mem::FUNC_HANDLE)).ok().filter(|pc| *pc < self.program.insns.len());
        let start = start.ok_or_else(|| call.wrong("r2 is no function".to_owned()))?;
        let pc = self.pc;
        for i in 0..rounds {
            let r0 = self.call(start, Regs::args(&[i, context]))?;
            self.pc = pc;
            match r0 {
                0 => {}
                1 => return Ok(i.cast_signed() + 1),
                other => return Err(call.wrong(format!("the callback returned {other}; it returns 0 or 1"))),
            }
        }
        Ok(rounds.cast_signed())
    }
}

/// A helper at work.
struct Call<'a> {
    name: &'static str,
    regs: &'a Regs,
}

impl Call<'_> {
    fn arg(&self, n: u8) -> Done<u64> {
        self.regs.get(n)
    }

    /// A size: no more than a helper would be let through with.
    fn size(&self, n: u8) -> Done<usize> {
        let size = self.arg(n)? & 0xffff_ffff;
        usize::try_from(size).ok().filter(|s| *s <= 1 << 29).ok_or_else(|| self.wrong(format!("r{n} is a negative or too large size")))
    }

    fn wrong(&self, problem: String) -> Wrong {
        debug_assert!(helper_id(self.name).is_some());
        Wrong::Argument { helper: self.name, problem }
    }
}
