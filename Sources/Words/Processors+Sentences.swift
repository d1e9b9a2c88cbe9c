import Resources

extension Processors {
    /// Why not all of the machine's processors are used; nil where all are.
    package var fewer: String? {
        switch bound {
        case .machine: nil
        case .affinity:
            "this process may use \(count) of the machine's \(online) processors (its affinity mask: "
                + "taskset, Slurm, a container)"
        case .quota(let processors):
            "this process is given the time of \(fixed(processors, 1)) of the machine's \(online) "
                + "processors (cpu.max of its control group)"
        }
    }
}
