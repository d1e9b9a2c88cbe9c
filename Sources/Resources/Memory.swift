import CResources
import Glibc

/// Checks that this process may take `bytes` more of memory, as far as
/// the system tells. Throws if not.
///
/// It is asked for addresses, and every limit is looked at. Memory that a control group or the
/// machine holds already counts as free as far as it is a cache of files.
package func requireMemory(bytes: Int) throws(ResourceError) {
    guard bytes > 0 else { return }
    let wanted = ResourceError.Resource.memory(bytes: bytes)
    if let group = ControlGroups().memory, group.left < bytes {
        throw ResourceError(wanted, .groupMemory(bytes: group.limit))
    }
    if let machine = Limit.machineMemory, machine < bytes {
        throw ResourceError(wanted, .machineMemory(bytes: machine))
    }
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard memory != MAP_FAILED else { throw ResourceError(wanted, .of(wanted)) }
    munmap(memory, bytes)
}

/// Sets what is said when memory is refused where nobody can be asked; the process then ends with 71.
package func prepareLastWords(_ sentence: (Limit) -> String) {
    dtrain_set_last_words(sentence(.of(.memory(bytes: 1 << 20))))
    dtrain_catch_aborts()
}
