import Checkpoint
import Foundation
import Yams

/// Settings as they were written, with where each stands: one layer (a file, the command line) or
/// several laid over each other.
package struct GivenSettings: Equatable, Sendable {
    /// The place where a setting was written.
    package enum Origin: Equatable, Sendable {
        case flag
        case file(path: String, line: Int)
        /// A run's own configuration.
        case run
    }

    struct Given: Equatable, Sendable {
        let text: String
        let origin: Origin
    }

    private var given: [Setting: Given] = [:]

    /// Makes a layer without any setting.
    package init() {}

    /// Sets `setting` as `origin` gave it; nil leaves it as it is.
    package mutating func set(_ setting: Setting, _ text: String?, from origin: Origin = .flag) {
        guard let text else { return }
        given[setting] = Given(text: text, origin: origin)
    }

    /// Takes a setting out of this layer, if it is there.
    package mutating func remove(_ setting: Setting) { given[setting] = nil }

    /// Returns the value as it was written; nil if the setting is not given.
    package func text(_ setting: Setting) -> String? { given[setting]?.text }
    /// Returns the place where the setting was written; nil if it is not given.
    package func origin(of setting: Setting) -> Origin? { given[setting]?.origin }
    /// Whether no setting is given.
    package var isEmpty: Bool { given.isEmpty }

    /// The settings that are given, in the order of `Setting.allCases`.
    package var settings: [Setting] { Setting.allCases.filter { given[$0] != nil } }

    /// This layer over `lower`; what a setting here excludes or stands for goes from there.
    package func over(_ lower: GivenSettings) -> GivenSettings {
        var result = lower
        for setting in settings where text(setting) != "false" {
            for gone in setting.row.replaces + setting.row.rivals { result.given[gone] = nil }
        }
        for setting in settings { result.given[setting] = given[setting] }
        return result
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
        guard text.contains(where: { !$0.isWhitespace && $0 != "\u{FEFF}" }) else {
            throw .emptyFile(path: path)
        }
        try self.init(yaml: text, path: path)
    }

    /// Reads YAML `text`; `path` is what errors call it.
    package init(yaml text: String, path: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(
                yaml: text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text)
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
            set(setting, scalar.string, from: .file(path: path, line: line))
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
        let hits = lines.indices.filter { index in
            lines[index].split(separator: ":").first?
                .trimmingCharacters(in: .init(charactersIn: " \t\"'?")) == key
        }
        return hits.count > 1 ? hits[1] + 1 : nil
    }
}
