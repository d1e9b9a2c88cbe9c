import Glibc

/// Checks that this process may open so many more descriptors. Throws if not.
///
/// For libraries that abort where they are refused one.
package func requireDescriptors(_ count: Int) throws(ResourceError) {
    raiseDescriptorLimit()
    guard let left = Limit.descriptorsLeft, left < count else { return }
    throw ResourceError(.descriptors(count), .of(.descriptors(count)))
}

/// Takes as many descriptors as the system lets a user have without asking: shells often allow 1,024.
private func raiseDescriptorLimit() {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 65_536))
    setrlimit(resource, &limit)
}
