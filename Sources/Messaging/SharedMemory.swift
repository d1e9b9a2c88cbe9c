import CLinux
import Glibc
import Wire

extension MemoryPlace {
    /// The place of one of this process's descriptors.
    init(descriptor: Int32, byteCount: Int) throws(MessagingError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(call: "fstat", code: errno) }
        self.init(
            process: getpid(), descriptor: descriptor, device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino), byteCount: byteCount)
    }

    /// Opens the neighbour's file; the caller closes it.
    ///
    /// `label` is what the kernel's link to it must begin with, so that nothing is opened whose
    /// mere opening does something.
    func open(_ flags: Int32, label: String) throws(MessagingError) -> Int32 {
        let path = "/proc/\(process)/fd/\(descriptor)"
        var link = [UInt8](repeating: 0, count: 64)
        let length = link.withUnsafeMutableBytes { bytes in
            readlink(path, bytes.baseAddress!, bytes.count)
        }
        guard length >= 0 else { throw .system(call: "readlink \(path)", code: errno) }
        guard link[..<length].starts(with: label.utf8) else {
            throw .unsoundMemory(reason: "\(path) is another file")
        }
        let opened = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else { throw .system(call: "open \(path)", code: errno) }
        var status = stat()
        guard fstat(opened, &status) == 0, UInt64(status.st_dev) == device,
            UInt64(status.st_ino) == inode
        else {
            close(opened)
            throw .unsoundMemory(reason: "\(path) is another file")
        }
        return opened
    }
}

/// Memory of this process that its neighbours may map. It has no name: when the last process that
/// maps it is gone, so is the memory.
package final class SharedMemory: @unchecked Sendable {
    /// The first byte, at the start of a page.
    package let address: UnsafeMutableRawPointer
    /// Length, in bytes; sealed, so that it never changes.
    package let byteCount: Int
    /// The place by which neighbours find the memory.
    package let handle: MemoryPlace

    private static let label = "dtrain"
    static let link = "/memfd:\(label)"

    /// Zeros, on pages that are all there: nobody's access can fail for want of one.
    ///
    /// - Parameter writable: whether neighbours may write it, too.
    /// - Throws: `.system` when there is not that much memory or the kernel can't seal it.
    package init(byteCount: Int, writable: Bool) throws(MessagingError) {
        precondition(byteCount > 0, "\(byteCount) bytes to share")
        let descriptor = dtrain_memory_file(Self.label)
        guard descriptor >= 0 else { throw .system(call: "memfd_create", code: errno) }
        do {
            let code = posix_fallocate(descriptor, 0, off_t(byteCount))
            guard code == 0 else {
                throw MessagingError.system(call: "posix_fallocate", code: code)
            }
            address = try Self.map(descriptor, byteCount, PROT_READ | PROT_WRITE)
        } catch {
            close(descriptor)
            throw error as! MessagingError
        }
        do {
            var seals = dtrain_seal_shrink | dtrain_seal_grow
            if !writable { seals |= dtrain_seal_future_write }
            guard
                dtrain_add_seals(descriptor, Int32(seals | dtrain_seal_seal)) == 0
            else { throw MessagingError.system(call: "F_ADD_SEALS", code: errno) }
            handle = try MemoryPlace(descriptor: descriptor, byteCount: byteCount)
        } catch {
            munmap(address, byteCount)
            close(descriptor)
            throw error as! MessagingError
        }
        self.byteCount = byteCount
    }

    deinit {
        munmap(address, byteCount)
        close(handle.descriptor)
    }

    static func map(
        _ descriptor: Int32, _ byteCount: Int, _ protection: Int32
    ) throws(MessagingError) -> UnsafeMutableRawPointer {
        let flags = MAP_SHARED | MAP_POPULATE
        guard let memory = mmap(nil, byteCount, protection, flags, descriptor, 0),
            memory != MAP_FAILED
        else { throw .system(call: "mmap", code: errno) }
        return memory
    }
}

/// A neighbour's memory as this process maps it.
///
/// Its values may change at any time: whoever reads them checks a digest, or is told by their owner
/// when they are final, and depends on them for nothing but sums. Its size can't: a file that could
/// shrink under the mapping, where every access would be fatal, is refused.
package final class NeighbourMemory: @unchecked Sendable {
    /// The first byte, at the start of a page.
    package let address: UnsafeMutableRawPointer
    /// Length, in bytes; the same as the owner's.
    package let byteCount: Int

    /// - Throws: `.system` or `.unsoundMemory`; nothing stays open or mapped then.
    package init(_ handle: MemoryPlace, writable: Bool) throws(MessagingError) {
        let descriptor = try handle.open(
            writable ? O_RDWR : O_RDONLY, label: SharedMemory.link)
        defer { close(descriptor) }
        let needed = Int32(dtrain_seal_shrink | dtrain_seal_grow)
        let seals = dtrain_seals(descriptor)
        guard seals >= 0, seals & needed == needed else {
            throw .unsoundMemory(reason: "its size is not sealed")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(call: "fstat", code: errno) }
        guard handle.byteCount > 0, Int(status.st_size) == handle.byteCount else {
            throw .unsoundMemory(
                reason: "it has \(status.st_size) bytes, not \(handle.byteCount)")
        }
        address = try SharedMemory.map(
            descriptor, handle.byteCount, writable ? PROT_READ | PROT_WRITE : PROT_READ)
        byteCount = handle.byteCount
    }

    deinit { munmap(address, byteCount) }

    /// The bytes of `range`, nil if the memory does not reach that far.
    package func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer? {
        guard range.lowerBound >= 0, range.upperBound <= byteCount else { return nil }
        return UnsafeRawBufferPointer(start: address + range.lowerBound, count: range.count)
    }
}
