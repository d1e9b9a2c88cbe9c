import Foundation

/// Returns the names in a folder but `.` and `..`, sorted. Throws: `io`.
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

/// Whether the path is a folder's; a link to one counts only when links are followed.
func isFolder(_ path: String, followingLinks: Bool = true) -> Bool {
    var status = stat()
    let found = followingLinks ? stat(path, &status) : lstat(path, &status)
    return found == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Returns the folder that a path's last component lies in.
func folder(of path: String) -> String {
    var components = path.split(separator: "/", omittingEmptySubsequences: true)
    let root = path.hasPrefix("/") ? "/" : ""
    guard components.count > 1 else { return root.isEmpty ? "." : root }
    components.removeLast()
    return root + components.joined(separator: "/")
}

/// Returns the last component of a path.
func lastName(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? "/"
}

/// Returns `path` from the root, and no more: only the kernel knows where `..` behind a link leads.
package func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let here = currentFolder else { return path }
    return here == "/" ? "/" + path : here + "/" + path
}

/// Returns the path without any link, as the kernel finds it; nil where nothing is.
package func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(validatingCString: resolved)
}

/// The folder in which this process works; nil when it has been removed.
package var currentFolder: String? {
    guard let here = getcwd(nil, 0) else { return nil }
    defer { free(here) }
    return String(validatingCString: here)
}

/// The kind of thing at a path, links followed.
package enum PathContent: Equatable, Sendable {
    case nothing
    /// A link whose target is not there.
    case danglingLink(target: String)
    /// A link that leads to itself.
    case loop
    case file
    case folder
    /// The kernel does not say; the code is errno.
    case unreachable(code: Int32)

    /// Looks at a path, and follows links.
    package init(at path: String) {
        var status = stat()
        if stat(path, &status) == 0 {
            self = status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
            return
        }
        switch errno {
        case ELOOP: self = .loop
        case ENOENT:
            let target = linkTarget(path)
            self = target.map { .danglingLink(target: $0) } ?? .nothing
        case let code: self = .unreachable(code: code)
        }
    }
}

/// Returns the target that a link names; nil for anything but a link.
func linkTarget(_ path: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = bytes.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
    return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
}

/// Returns the bytes that an unprivileged process may still write to the file
/// system of `path`. Throws: `io`.
package func freeBytes(at path: String) throws(CheckpointError) -> Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else {
        throw .io(path: path, operation: .freeSpace, code: errno)
    }
    let (bytes, overflow) = Int(clamping: status.f_bavail)
        .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
    return overflow ? .max : bytes
}
