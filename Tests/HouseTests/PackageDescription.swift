import Foundation

/// What Package.swift says of the modules, in its order, and the sources under it.
struct PackageDescription {
    struct Target {
        /// `target`, `executableTarget`, `testTarget` or `systemLibrary`.
        let kind: String
        let name: String
        /// Modules and products by name.
        let dependencies: [String]
        let path: String

        var hasSwift: Bool { name.wholeMatch(of: /C[A-Z].*/) == nil }

        /// Tests need the built program without importing it.
        var runs: Set<String> { kind == "testTarget" ? ["dtrain"] : [] }
    }

    struct Source {
        let path: String
        let lines: [String]

        var imports: [String] {
            lines.compactMap { line in
                line.wholeMatch(of: /\s*(?:@\w+ |private |internal )*import (?:\w+ )?(\w+).*/)
                    .map { String($0.1) }
            }
        }
    }

    let root: URL
    let targets: [Target]

    var names: Set<String> { Set(targets.map(\.name)) }

    init() throws {
        root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
        let heads = text.matches(
            of: /\.(target|executableTarget|testTarget|systemLibrary)\(\s*name: "(\w+)"/)
        let listed = heads.enumerated().map { number, head in
            let end = number + 1 < heads.count ? heads[number + 1].range.lowerBound : text.endIndex
            let body = text[head.range.upperBound..<end]
            let list = body.firstMatch(of: /dependencies: \[([^\]]*)\]/)?.1 ?? ""
            let (kind, name) = (String(head.1), String(head.2))
            let path = body.firstMatch(of: /path: "([^"]+)"/).map { String($0.1) }
            return Target(
                kind: kind, name: name,
                dependencies: list.matches(of: /"(\w+)"(?!, package|:)/).map { String($0.1) },
                path: path ?? (kind == "testTarget" ? "Tests/" : "Sources/") + name)
        }
        // It is appended to the others.
        let tools = ["guided", "bits"]
        targets =
            listed.filter { !tools.contains($0.name) } + listed.filter { tools.contains($0.name) }
    }

    /// The Swift files of a module, by path.
    func sources(of target: Target) throws -> [Source] {
        let folder = root.appending(path: target.path)
        let found = FileManager.default.enumerator(atPath: folder.path)
        let names = (found?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".swift") }
        return try names.sorted().map { name in
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            return Source(
                path: target.path + "/" + name,
                lines: text.split(separator: "\n", omittingEmptySubsequences: false)
                    .map(String.init))
        }
    }
}
