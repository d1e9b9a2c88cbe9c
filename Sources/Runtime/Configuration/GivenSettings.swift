import Checkpoint
import Foundation
import Yams

/// Settings as they were written, with where each stands: one layer (a file, the command line) or
/// several laid over each other.
package struct GivenSettings: Equatable, Sendable {
    package enum Origin: Equatable, Sendable {
        case flag
        case file(path: String, line: Int)
    }

    struct Given: Equatable, Sendable {
        let text: String
        let origin: Origin
    }

    private var given: [Setting: Given] = [:]

    package init() {}

    /// Sets `setting` as the command line gave it; nil leaves it as it is.
    package mutating func set(_ setting: Setting, _ text: String?) {
        guard let text else { return }
        given[setting] = Given(text: Self.resolved(text, of: setting), origin: .flag)
    }

    mutating func remove(_ setting: Setting) { given[setting] = nil }

    package func text(_ setting: Setting) -> String? { given[setting]?.text }
    package func origin(of setting: Setting) -> Origin? { given[setting]?.origin }
    package var isEmpty: Bool { given.isEmpty }

    /// The settings that are given, in the order of `Setting.allCases`.
    package var settings: [Setting] { Setting.allCases.filter { given[$0] != nil } }

    /// This layer over `lower`; a preset here replaces the sizes there.
    package func over(_ lower: GivenSettings) -> GivenSettings {
        var result = lower
        for setting in settings {
            for superseded in setting.supersedes { result.given[superseded] = nil }
        }
        for setting in settings { result.given[setting] = given[setting] }
        return result
    }

    private static func resolved(_ text: String, of setting: Setting) -> String {
        guard setting.isPath, !text.isEmpty else { return text }
        let path = absolutePath(text)
        // A run that starts from runs/latest becomes that itself.
        return setting == .from ? resolvedPath(path) ?? path : path
    }
}

// MARK: Configuration files

extension GivenSettings {
    /// Reads the YAML file at `path`: a mapping from setting to scalar.
    ///
    /// Throws `unreadableFile`, `malformedFile`, `unknownKey`, `repeatedKey` or `notAScalar`,
    /// the last four with the line.
    package init(file path: String) throws(ConfigurationError) {
        let bytes: [UInt8]
        do {
            let file = try ReadableFile(path)
            bytes = try file.bytes(0..<file.size)
        } catch {
            throw .unreadableFile(error)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformedFile(path: path, line: nil, problem: "it is not UTF-8 text")
        }
        try self.init(yaml: text, path: path)
    }

    /// Reads YAML `text`; `path` is what errors call it.
    package init(yaml text: String, path: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.malformed(error, text: text, path: path)
        }
        guard let root else { return }
        guard let mapping = root.mapping else {
            throw .malformedFile(
                path: path, line: root.mark?.line, problem: "it is not a list of 'key: value'")
        }
        for (key, value) in mapping {
            let line = key.mark?.line ?? 1
            let name = key.scalar?.string ?? ""
            guard let setting = Setting(rawValue: name) else {
                throw .unknownKey(name, path: path, line: line, nearest: Setting.nearest(to: name))
            }
            guard given[setting] == nil else {
                throw .repeatedKey(name, path: path, line: line)
            }
            guard let scalar = value.scalar, !(value.null != nil && scalar.style == .plain) else {
                throw .notAScalar(setting, path: path, line: line)
            }
            given[setting] = Given(
                text: Self.resolved(scalar.string, of: setting),
                origin: .file(path: path, line: line))
        }
    }

    private static func malformed(
        _ error: any Error, text: String, path: String
    ) -> ConfigurationError {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return .malformedFile(path: path, line: mark.line, problem: problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.sorted().first ?? ""
            let line = secondLine(of: key, in: text) ?? context.mark.line
            return .repeatedKey(key, path: path, line: line)
        default:
            return .malformedFile(path: path, line: nil, problem: "it is not YAML")
        }
    }

    /// Yams says where the mapping with a repeated key begins, not where the key is repeated.
    private static func secondLine(of key: String, in text: String) -> Int? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let hits = lines.indices.filter { lines[$0].hasPrefix("\(key):") }
        return hits.count > 1 ? hits[1] + 1 : nil
    }
}

extension Setting {
    /// The setting whose name is at most two edits away from `name`, the first of the nearest.
    package static func nearest(to name: String) -> Setting? {
        let distances = allCases.map { ($0, editDistance($0.rawValue, name)) }
        let best = distances.min { $0.1 < $1.1 }
        return best.flatMap { $0.1 <= 2 ? $0.0 : nil }
    }

    private static func editDistance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8)
        let b = Array(b.utf8)
        var row = Array(0...b.count)
        for i in 0..<a.count {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let change = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
