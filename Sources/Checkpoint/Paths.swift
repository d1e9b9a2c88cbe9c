import Foundation

/// The names in a folder but `.` and `..`, sorted. Throws: `io`.
func names(in path: String) throws(CheckpointError) -> [String] {
    guard let stream = opendir(path) else {
        throw .io(path: path, operation: .list, code: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
        errno = 0
    }
    guard errno == 0 else { throw .io(path: path, operation: .list, code: errno) }
    return names.sorted()
}

/// Whether the name exists, a broken link included.
func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
}

/// Whether it is a folder; a link to one counts only when links are followed.
func isFolder(_ path: String, followingLinks: Bool = true) -> Bool {
    var status = stat()
    let found = followingLinks ? stat(path, &status) : lstat(path, &status)
    return found == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The folder that a path's last component lies in.
func folder(of path: String) -> String {
    var components = path.split(separator: "/", omittingEmptySubsequences: true)
    let root = path.hasPrefix("/") ? "/" : ""
    guard components.count > 1 else { return root.isEmpty ? "." : root }
    components.removeLast()
    return root + components.joined(separator: "/")
}

/// Bytes that an unprivileged process may still write to the file system of `path`.
/// Throws: `io`.
package func freeBytes(at path: String) throws(CheckpointError) -> Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else {
        throw .io(path: path, operation: .freeSpace, code: errno)
    }
    let (bytes, overflow) = Int(clamping: status.f_bavail)
        .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
    return overflow ? .max : bytes
}
