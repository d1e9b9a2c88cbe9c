/// The files of a checkpoint with their sizes and digests: what makes it whole.
package struct CheckpointManifest: Codable, Equatable, Sendable {
    /// The version of the format that this module writes; it reads those up to it.
    package static let format = 1

    package let format: Int
    package let step: Int
    /// SHA-256 of the parameters as little-endian float32 in layout order.
    package let digest: String
    package let files: [String: File]
    /// What wrote it, such as `dtrain 0.1.0`; nil in the first ones.
    package let software: String?
    /// The version of the arithmetic that made the numbers; nil where the first one did.
    package let arithmetic: Int?

    package struct File: Codable, Equatable, Sendable {
        package let bytes: Int
        package let sha256: String

        package init(bytes: Int, sha256: String) {
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

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

/// What a checkpoint knows besides numbers in flat vectors; `state.json`.
package struct CheckpointState: Codable, Equatable, Sendable {
    /// Steps done.
    package var step: Int
    /// Updates done; fewer than steps when some were skipped.
    package var adamCount: Int
    /// Epochs of the corpus begun so far.
    package var epoch: Int
    /// Whatever the caller wants to find again.
    package var more: [String: JSON]

    package init(step: Int, adamCount: Int, epoch: Int, more: [String: JSON] = [:]) {
        self.step = step
        self.adamCount = adamCount
        self.epoch = epoch
        self.more = more
    }
}
