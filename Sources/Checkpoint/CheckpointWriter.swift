import Foundation

/// Writes one checkpoint under a temporary name and gives it its own name when it is whole.
///
/// The values come as one stream of bytes: parameters, first moments, second moments, each in layout
/// order. Until `commit` returns, nothing of it counts; a reader finds the checkpoint before.
package final class CheckpointWriter {
    /// The number of steps done, by which the checkpoint is named.
    package let step: Int
    /// The number of elements of the parameters, and of each of the moments.
    package let count: Int
    private let parent: String
    private let temporary: String
    private let operations: any FileOperations
    private let model: SafetensorsWriter
    private let optimizer: SafetensorsWriter
    /// The name and version of the writer, and the version of its arithmetic, as the state says.
    private let software: String?
    private let arithmetic: Int?
    private var files: [String: CheckpointManifest.File] = [:]
    private var isOpen = true

    /// Makes the temporary folder in `parent` (made when only it is missing) with all but the values.
    /// Throws: `io`, `notEncodable`, `safetensors`; then nothing stays behind.
    package init(
        in parent: String, state: CheckpointState, tensors: [TensorShape],
        metadata: [String: String] = [:], tokenizer: [UInt8]?,
        operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) {
        // The run's folder is not made anew: where it has gone, its disk was lost.
        guard isFolder(folder(of: parent)) else {
            throw .io(path: parent, operation: .makeFolder, code: ENOENT)
        }
        try operations.makeFolders(parent)
        let temporary = parent + "/" + CheckpointName.temporary(state.step, in: parent)
        try operations.makeFolder(temporary)
        do throws(CheckpointError) {
            model = try SafetensorsWriter(
                path: temporary + "/" + CheckpointFolder.modelFile, entries: tensors,
                metadata: metadata, operations: operations)
            optimizer = try SafetensorsWriter(
                path: temporary + "/" + CheckpointFolder.optimizerFile,
                entries: CheckpointFolder.moments(of: tensors), digestsData: false,
                operations: operations)
            let stateFile = CheckpointFolder.stateFile
            let encodedState = try encoded(state, pretty: true, for: temporary + "/" + stateFile)
            var small = [(stateFile, encodedState)]
            if let tokenizer { small.append((CheckpointFolder.tokenizerFile, tokenizer)) }
            for (name, bytes) in small {
                try operations.createWhole(temporary + "/" + name, bytes)
                files[name] = .init(bytes: bytes.count, sha256: SHA256.digest(bytes))
            }
        } catch {
            try? operations.removeTree(temporary)
            throw error
        }
        step = state.step
        software = if case .string(let name)? = state.more["software"] { name } else { nil }
        arithmetic =
            if case .integer(let version)? = state.more["arithmetic"] { version } else { nil }
        count = model.dataBytes / MemoryLayout<Float>.stride
        self.parent = parent
        self.temporary = temporary
        self.operations = operations
    }

    deinit { if isOpen { abandon() } }

    /// Returns the bytes that a checkpoint takes on the disk, headers and
    /// small files estimated from above.
    package static func bytesNeeded(tensors: [TensorShape], tokenizer: [UInt8]?) -> Int {
        let names = tensors.reduce(0) { $0 + $1.name.utf8.count + 200 }
        let values = tensors.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
        return 3 * (values + names) + (tokenizer?.count ?? 0) + 1 << 16
    }

    /// Appends little-endian float32 values to the stream, cut wherever the caller likes.
    /// Throws: `io`; `wrongLength` when they are more than three vectors.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        precondition(isOpen, "checkpoint of step \(step) is already committed or abandoned")
        let head = min(bytes.count, model.dataBytes - model.written)
        if head > 0 { try model.append(UnsafeRawBufferPointer(rebasing: bytes[..<head])) }
        if head < bytes.count {
            try optimizer.append(UnsafeRawBufferPointer(rebasing: bytes[head...]))
        }
    }

    /// Makes the checkpoint durable and then visible, in place of one of the same step if there is
    /// one. Throws: `io`; `wrongLength` when values are missing; then call `abandon`.
    package func commit() throws(CheckpointError) -> CheckpointFolder {
        precondition(isOpen, "checkpoint of step \(step) is already committed or abandoned")
        let model = try model.finish()
        let optimizer = try optimizer.finish()
        files[CheckpointFolder.modelFile] = .init(bytes: model.bytes, sha256: model.digest)
        files[CheckpointFolder.optimizerFile] =
            .init(bytes: optimizer.bytes, sha256: optimizer.digest)
        guard let digest = model.dataDigest else { preconditionFailure("no digest of the model") }
        let manifest = CheckpointManifest(
            step: step, digest: digest, files: files, software: software, arithmetic: arithmetic)
        let manifestPath = temporary + "/" + CheckpointFolder.manifestFile
        try operations.createWhole(
            manifestPath, encoded(manifest, pretty: true, for: manifestPath))
        try operations.synchronizeFolder(temporary)
        let path = try publish()
        isOpen = false
        return try CheckpointFolder(path, verification: .sizes)
    }

    /// Removes what was written, as far as that succeeds; the next sweep takes what is left.
    package func abandon() {
        isOpen = false
        try? operations.removeTree(temporary)
    }

    private func publish() throws(CheckpointError) -> String {
        let path = parent + "/" + CheckpointName.whole(step)
        let retired = parent + "/" + CheckpointName.retired(step)
        let replaces = exists(path)
        if replaces {
            if exists(retired) { try operations.removeTree(retired) }
            // A folder cannot be renamed over a full one. Readers know the retired name, so there is
            // no moment without a whole checkpoint.
            try operations.rename(path, to: retired)
        }
        do throws(CheckpointError) {
            try operations.rename(temporary, to: path)
        } catch {
            if replaces { try? operations.rename(retired, to: path) }
            throw error
        }
        try operations.synchronizeFolder(parent)
        // It counts from here on: failing to clear up is no failure to commit.
        if replaces { try? operations.removeTree(retired) }
        return path
    }
}
