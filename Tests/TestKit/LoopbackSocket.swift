import Foundation
import Glibc

/// A socket that others take after or listen on, at a free tcp port of loopback; or a unix socket
/// without a name, at port 0. The caller closes it.
///
/// - Parameter family: AF_INET or AF_UNIX.
package func loopbackSocket(
    _ family: Int32 = AF_INET
) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    guard family == AF_INET else { return (descriptor, 0) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard isBound else {
        let code = errno
        close(descriptor)
        throw POSIXError(.init(rawValue: code) ?? .EIO)
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}
