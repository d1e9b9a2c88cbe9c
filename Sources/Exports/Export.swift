import Checkpoint

/// Writes models as folders that other programs read.
package enum Export {
    /// The name of the file with the digests of the others, as `sha256sum -c` reads it.
    package static let sums = "SHA256SUMS"

    /// Writes the files of a format and their digests into a folder, as a whole or not at all.
    /// Returns the files with their sizes, the digests last.
    ///
    /// Throws: `ExportError`; `CheckpointError`: `folderTaken`, `io`.
    @discardableResult
    package static func write(
        _ model: ExportedModel, as format: some ExportFormat, card: String, to path: String
    ) throws -> [(name: String, bytes: Int)] {
        let files = try format.files(of: model, card: card)
        let folder = try WholeFolder(path)
        var written: [(name: String, bytes: Int)] = []
        var digests = ""
        for file in files.sorted(by: { $0.name < $1.name }) {
            let output = try folder.file(file.name)
            try file.write(output)
            digests += "\(try output.finish())  \(file.name)\n"
            written.append((file.name, output.bytes))
        }
        let output = try folder.file(sums)
        try output.append(Array(digests.utf8))
        _ = try output.finish()
        written.append((sums, output.bytes))
        try folder.commit()
        return written
    }
}
