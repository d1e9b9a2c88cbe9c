/// `configuration.yaml`: the settings of a run between two comments, so that `--config` reads it too.
///
/// The first comment has the format of the whole run folder and says who wrote it; the last shows that
/// the file is whole. Folders of the first version have neither.
package struct SettingsFile: Equatable, Sendable {
    /// The version of the run folder that this program writes; it reads those up to it.
    package static let format = 1

    private static let opening = "# dtrain run folder, format "
    private static let writtenBy = ", written by "
    private static let closing = "# the settings end here"
    /// The setting with which the first version's files end.
    private static let firstVersionsEnd = "peer-timeout:"

    /// The settings, as they were given to `text`.
    package let settings: String
    /// The format of the run folder; nil in one of the first version.
    package let format: Int?
    /// The name and version of the writer, such as `dtrain 0.1.0`; nil
    /// in the first version's folders.
    package let writer: String?

    /// Returns the file's text for these settings.
    package static func text(_ settings: String, writer: String) -> String {
        "\(opening)\(format)\(writtenBy)\(writer)\n\(settings)\(closing)\n"
    }

    /// Reads the file at `path`. Throws: `io`, `newer`; returns the
    /// fault of a file that is not whole.
    package static func read(
        _ path: String
    ) throws(CheckpointError) -> Result<SettingsFile, UnfitSettings> {
        guard exists(path) else { return .failure(UnfitSettings(fault: .missing)) }
        let file = try ReadableFile(path)
        let bytes = try file.bytes(0..<file.size)
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n").map { String($0) }
        guard !lines.allSatisfy({ $0.allSatisfy { $0.isWhitespace || $0 == "\0" } }) else {
            return .failure(UnfitSettings(fault: .empty))
        }
        guard let (format, writer) = header(lines[0]) else {
            guard bytes.last == UInt8(ascii: "\n"), lines.last!.hasPrefix(firstVersionsEnd) else {
                return .failure(UnfitSettings(fault: .torn))
            }
            return .success(SettingsFile(settings: text, format: nil, writer: nil))
        }
        guard format <= Self.format else {
            throw .newer(
                path: folder(of: path), format: format, known: Self.format, writer: writer)
        }
        guard lines.contains(closing) else { return .failure(UnfitSettings(fault: .torn)) }
        return .success(SettingsFile(settings: text, format: format, writer: writer))
    }

    private static func header(_ line: String) -> (format: Int, writer: String?)? {
        guard line.hasPrefix(opening) else { return nil }
        let rest = line.dropFirst(opening.count)
        guard let format = Int(rest.prefix { $0.isNumber }) else { return nil }
        let tail = rest.drop { $0.isNumber }
        return (format, tail.hasPrefix(writtenBy) ? String(tail.dropFirst(writtenBy.count)) : nil)
    }
}

/// Settings that cannot be used, and why.
package struct UnfitSettings: Error, Equatable, Sendable {
    /// The fault of the file.
    package let fault: FileFault

    /// Makes an error of its fault.
    package init(fault: FileFault) { self.fault = fault }
}
