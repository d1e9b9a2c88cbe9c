/// The files of a checkpoint with their sizes and digests, by which it is known to be whole.
package struct CheckpointManifest: Codable, Equatable, Sendable {
    /// The version of the format that this module writes; it reads those up to it.
    package static let format = 1

    /// The format that the checkpoint was written in; 1 in all that this version reads.
    package let format: Int
    /// The number of steps done, 0 or more.
    package let step: Int
    /// SHA-256 of the parameters as little-endian float32 in layout order.
    package let digest: String
    /// The files by their names; none leads out of the folder.
    package let files: [String: File]
    /// The name and version of the writer, such as `dtrain 0.1.0`; nil in the first ones.
    package let software: String?
    /// The version of the arithmetic that made the numbers; nil where the first one did.
    package let arithmetic: Int?

    /// The promise about one file.
    package struct File: Codable, Equatable, Sendable {
        /// The size in bytes.
        package let bytes: Int
        /// The SHA-256 of the whole file, in 64 hexadecimal digits.
        package let sha256: String

        /// Makes a promise of its parts.
        package init(bytes: Int, sha256: String) {
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    /// Makes a manifest in the current format; `digest` is that of the parameters.
    package init(
        step: Int, digest: String, files: [String: File], software: String? = nil,
        arithmetic: Int? = nil
    ) {
        format = Self.format
        self.software = software
        self.arithmetic = arithmetic
        self.step = step
        self.digest = digest
        self.files = files
    }

    /// Reads a manifest. Throws: `damaged` with `manifest`, `newer`.
    package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
        struct Version: Decodable {
            let format: Int
            let software: String?
        }
        if let version = decoded(Version.self, bytes), version.format > Self.format {
            throw .newer(
                path: folder(of: path), format: version.format, known: Self.format,
                writer: version.software)
        }
        guard let manifest = decoded(CheckpointManifest.self, bytes), manifest.isPlausible else {
            throw .damaged(path: path, damage: .manifest)
        }
        self = manifest
    }

    private var isPlausible: Bool {
        format == Self.format && step >= 0
            && CheckpointFolder.requiredFiles.allSatisfy { files[$0] != nil }
            && files.allSatisfy { name, file in
                // A name is joined to the folder's path: it must not lead out of it.
                !name.isEmpty && !name.contains("/") && name != "." && name != ".."
                    && file.bytes >= 0
            }
    }
}

/// The part of a checkpoint besides the flat vectors; `state.json`.
package struct CheckpointState: Codable, Equatable, Sendable {
    /// The number of steps done.
    package var step: Int
    /// The number of updates done; fewer than steps when some were skipped.
    package var adamCount: Int
    /// The number of epochs of the corpus begun so far.
    package var epoch: Int
    /// Other values that the caller wants to find again, such as `software`.
    package var more: [String: JSON]

    /// Makes a state of its parts; none of the counts is negative.
    package init(step: Int, adamCount: Int, epoch: Int, more: [String: JSON] = [:]) {
        self.step = step
        self.adamCount = adamCount
        self.epoch = epoch
        self.more = more
    }
}
