//! Takes a kernel helper's name or number, gives the other.
//!
//! Only helpers that an LSM program could have a use for are listed; the numbers are the kernel's
//! stable ABI (`enum bpf_func_id` in `linux/bpf.h`). Never knows on which kernel a helper exists.

/// The helpers: number and name, in the order of the numbers.
pub const HELPERS: &[(i32, &str)] = &[
    (1, "bpf_map_lookup_elem"),
    (2, "bpf_map_update_elem"),
    (3, "bpf_map_delete_elem"),
    (4, "bpf_probe_read"),
    (5, "bpf_ktime_get_ns"),
    (6, "bpf_trace_printk"),
    (7, "bpf_get_prandom_u32"),
    (8, "bpf_get_smp_processor_id"),
    (12, "bpf_tail_call"),
    (14, "bpf_get_current_pid_tgid"),
    (15, "bpf_get_current_uid_gid"),
    (16, "bpf_get_current_comm"),
    (35, "bpf_get_current_task"),
    (45, "bpf_probe_read_str"),
    (80, "bpf_get_current_cgroup_id"),
    (87, "bpf_map_push_elem"),
    (88, "bpf_map_pop_elem"),
    (89, "bpf_map_peek_elem"),
    (93, "bpf_spin_lock"),
    (94, "bpf_spin_unlock"),
    (109, "bpf_send_signal"),
    (112, "bpf_probe_read_user"),
    (113, "bpf_probe_read_kernel"),
    (114, "bpf_probe_read_user_str"),
    (115, "bpf_probe_read_kernel_str"),
    (117, "bpf_send_signal_thread"),
    (118, "bpf_jiffies64"),
    (120, "bpf_get_ns_current_pid_tgid"),
    (123, "bpf_get_current_ancestor_cgroup_id"),
    (125, "bpf_ktime_get_boot_ns"),
    (130, "bpf_ringbuf_output"),
    (131, "bpf_ringbuf_reserve"),
    (132, "bpf_ringbuf_submit"),
    (133, "bpf_ringbuf_discard"),
    (134, "bpf_ringbuf_query"),
    (145, "bpf_inode_storage_get"),
    (146, "bpf_inode_storage_delete"),
    (147, "bpf_d_path"),
    (148, "bpf_copy_from_user"),
    (153, "bpf_per_cpu_ptr"),
    (154, "bpf_this_cpu_ptr"),
    (156, "bpf_task_storage_get"),
    (157, "bpf_task_storage_delete"),
    (158, "bpf_get_current_task_btf"),
    (159, "bpf_bprm_opts_set"),
    (160, "bpf_ktime_get_coarse_ns"),
    (161, "bpf_ima_inode_hash"),
    (162, "bpf_sock_from_file"),
    (164, "bpf_for_each_map_elem"),
    (165, "bpf_snprintf"),
    (169, "bpf_timer_init"),
    (170, "bpf_timer_set_callback"),
    (171, "bpf_timer_start"),
    (172, "bpf_timer_cancel"),
    (173, "bpf_get_func_ip"),
    (174, "bpf_get_attach_cookie"),
    (175, "bpf_task_pt_regs"),
    (178, "bpf_skc_to_unix_sock"),
    (179, "bpf_kallsyms_lookup_name"),
    (180, "bpf_find_vma"),
    (181, "bpf_loop"),
    (182, "bpf_strncmp"),
    (186, "bpf_get_retval"),
    (187, "bpf_set_retval"),
    (191, "bpf_copy_from_user_task"),
    (193, "bpf_ima_file_hash"),
    (194, "bpf_kptr_xchg"),
    (195, "bpf_map_lookup_percpu_elem"),
    (198, "bpf_ringbuf_reserve_dynptr"),
    (208, "bpf_ktime_get_tai_ns"),
    (210, "bpf_cgrp_storage_get"),
    (211, "bpf_cgrp_storage_delete"),
];

/// The number of the helper `name` (with its `bpf_` prefix).
pub fn helper_id(name: &str) -> Option<i32> {
    HELPERS.iter().find(|h| h.1 == name).map(|h| h.0)
}

/// The name of helper number `id`, with its `bpf_` prefix.
pub fn helper_name(id: i32) -> Option<&'static str> {
    HELPERS.iter().find(|h| h.0 == id).map(|h| h.1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_ascend_and_names_are_unique() {
        assert!(super::HELPERS.is_sorted_by(|a, b| a.0 < b.0));
        let mut names: Vec<_> = super::HELPERS.iter().map(|h| h.1).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b));
    }
}
