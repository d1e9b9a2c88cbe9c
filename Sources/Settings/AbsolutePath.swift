import Foundation

/// `path` from the root on. What the kernel resolves (links, and `..` behind them) is left to it.
func absolute(_ path: String) -> String {
    if path == "-" { return "/dev/stdin" }
    var rest = path[...]
    while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
    if rest.hasPrefix("/") { return String(rest) }
    let folder = FileManager.default.currentDirectoryPath
    return rest.isEmpty || rest == "." ? folder : folder + "/" + rest
}
