import Checkpoint

/// Why nothing can be found at `path`, in words; nil where a folder is.
package func missing(_ path: String) -> String? {
    let name = shown(path)
    return switch PathContent(at: path) {
    case .folder: nil
    case .nothing: "there is no \(name)"
    case .danglingLink(let target): "\(name) is a link to \(target), which is not there"
    case .loop: "\(name) is a link that leads to itself"
    case .file: "\(name) is a file"
    case .unreachable(let code): "\(name) cannot be reached (\(reason(code)))"
    }
}

/// The folder that a file of a run lies in.
func folder(ofFile path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
}

extension Failure {
    /// A path that an option or argument gives. Throws a usage failure for an empty one.
    package static func path(_ option: String, _ text: String) throws(Failure) -> String {
        guard !text.isEmpty else {
            throw .usage("\(option) is empty, give a path or leave it out")
        }
        return text
    }
}

/// A path as a user in the current folder would type it.
package func shown(_ path: String) -> String {
    guard let here = currentFolder.map({ $0 + "/" }) else { return path }
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
}
