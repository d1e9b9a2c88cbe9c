/// A checkpoint on the disk whose manifest has been found to hold.
package struct CheckpointFolder: Sendable {
    static let modelFile = "model.safetensors"
    static let optimizerFile = "optimizer.safetensors"
    static let stateFile = "state.json"
    static let tokenizerFile = "tokenizer.model"
    static let manifestFile = "manifest.json"
    static let requiredFiles = [modelFile, optimizerFile, stateFile]

    /// PyTorch's names for Adam's moments, before the name of the parameter.
    package static let firstMomentPrefix = "exp_avg."
    /// PyTorch's name for the second moments, in the same place.
    package static let secondMomentPrefix = "exp_avg_sq."

    /// The path of the checkpoint's folder.
    package let path: String
    /// The sizes and digests of its files.
    package let manifest: CheckpointManifest
    /// The counts that `state.json` holds.
    package let state: CheckpointState

    /// The part of the manifest's promise that `init` checks.
    package enum Verification: Sendable {
        /// That every file is there and has its size: no more than a look.
        case sizes
        /// Every byte.
        case digests
    }

    /// The three flat vectors, in the order they are written.
    package enum Section: Int, CaseIterable, Sendable {
        case parameters, firstMoment, secondMoment
    }

    /// The number of steps done when the checkpoint was made.
    package var step: Int { manifest.step }
    /// SHA-256 of the parameters as little-endian float32 in layout order.
    package var digest: String { manifest.digest }
    /// The version of the arithmetic that made it.
    package var arithmetic: Int { manifest.arithmetic ?? 1 }

    /// Opens a checkpoint. Throws: `damaged` with the path of the file that is, `newer`, `io`.
    package init(
        _ path: String, verification: Verification = .digests
    ) throws(CheckpointError) {
        self.path = path
        let manifestPath = path + "/" + Self.manifestFile
        guard exists(manifestPath) else {
            throw .damaged(path: manifestPath, damage: .missing)
        }
        manifest = try CheckpointManifest(Self.contents(manifestPath), path: manifestPath)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if case .whole(let step)? = CheckpointName(name), step != manifest.step {
            throw .damaged(path: manifestPath, damage: .manifest)
        }
        try Self.checkSizes(manifest, path)
        if verification == .digests { try Self.checkDigests(manifest, path) }
        let statePath = path + "/" + Self.stateFile
        guard let state = decoded(CheckpointState.self, try Self.contents(statePath)),
            state.step == manifest.step, state.adamCount >= 0
        else { throw .damaged(path: statePath, damage: .state) }
        self.state = state
    }

    /// The parameters. Throws: `io`, `safetensors`, `cutShort`.
    package func model() throws(CheckpointError) -> SafetensorsFile {
        try SafetensorsFile(path + "/" + Self.modelFile)
    }

    /// The moments: `exp_avg.NAME` for all names, then `exp_avg_sq.NAME`. Throws as `model`.
    package func optimizer() throws(CheckpointError) -> SafetensorsFile {
        try SafetensorsFile(path + "/" + Self.optimizerFile)
    }

    /// The SentencePiece model, nil if the run had none. Throws: `io`.
    package func tokenizer() throws(CheckpointError) -> [UInt8]? {
        guard manifest.files[Self.tokenizerFile] != nil else { return nil }
        return try Self.contents(tokenizerPath)
    }

    /// The path of that model.
    package var tokenizerPath: String { path + "/" + Self.tokenizerFile }

    /// Hands the values to `body` as little-endian float32, section after section in layout order.
    /// Each piece has at most `chunk` elements, and comes with its place in the flat vector.
    /// Throws: `otherLayout` (before the first piece) unless the tensors are just these in this
    /// order; `io`, `safetensors`, `cutShort`; what `body` throws.
    package func read(
        _ sections: [Section] = Section.allCases, tensors: [TensorShape], chunk: Int = 1 << 18,
        _ body: (_ section: Section, _ element: Int, UnsafeRawBufferPointer)
            throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        precondition(chunk > 0, "chunk of \(chunk) elements")
        let size = MemoryLayout<Float>.stride
        let bytes = tensors.reduce(0) { $0 + $1.count } * size
        let model = try model()
        try Self.require(tensors, in: model)
        let optimizer = try optimizer()
        try Self.require(Self.moments(of: tensors), in: optimizer)
        for section in sections {
            let (file, start) =
                switch section {
                case .parameters: (model, 0)
                case .firstMoment: (optimizer, 0)
                case .secondMoment: (optimizer, bytes)
                }
            try file.stream(start..<start + bytes, chunk: chunk * size) {
                (offset, piece) throws(CheckpointError) in
                try body(section, (offset - start) / size, piece)
            }
        }
    }

    /// The entries of the optimizer's file for a model's tensors.
    static func moments(of tensors: [TensorShape]) -> [TensorShape] {
        [firstMomentPrefix, secondMomentPrefix].flatMap { prefix in
            tensors.map { TensorShape(name: prefix + $0.name, shape: $0.shape) }
        }
    }

    private static func require(
        _ tensors: [TensorShape], in file: SafetensorsFile
    ) throws(CheckpointError) {
        // Sorting by offset cannot tell the order of empty tensors; they hold nothing anyway.
        let expected = tensors.filter { $0.count > 0 }
        let found = file.tensors.filter { $0.count > 0 }
        for index in 0..<max(expected.count, found.count) {
            guard index < expected.count else {
                throw .otherLayout(path: file.path, tensor: found[index].name)
            }
            guard index < found.count, found[index].name == expected[index].name,
                found[index].shape == expected[index].shape, found[index].dtype == .float32
            else { throw .otherLayout(path: file.path, tensor: expected[index].name) }
        }
    }

    private static func contents(_ path: String) throws(CheckpointError) -> [UInt8] {
        let file = try ReadableFile(path)
        return try file.bytes(0..<file.size)
    }

    private static func checkSizes(
        _ manifest: CheckpointManifest, _ path: String
    ) throws(CheckpointError) {
        for (name, promised) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let path = path + "/" + name
            guard exists(path) else { throw .damaged(path: path, damage: .missing) }
            let found = try ReadableFile(path).size
            guard found == promised.bytes else {
                throw .damaged(
                    path: path, damage: .size(expected: promised.bytes, found: found))
            }
        }
    }

    private static func checkDigests(
        _ manifest: CheckpointManifest, _ path: String
    ) throws(CheckpointError) {
        for (name, promised) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let path = path + "/" + name
            let file = try ReadableFile(path)
            // A header that cannot be read shows as another digest just below.
            let header = name == modelFile ? (try? SafetensorsFile(path))?.dataRegion : nil
            let dataStart = header?.lowerBound ?? file.size
            let (whole, data) = (SHA256(), SHA256())
            var offset = 0
            try file.stream(0..<file.size) { (bytes) throws(CheckpointError) in
                whole.update(bytes)
                let skipped = min(max(0, dataStart - offset), bytes.count)
                data.update(UnsafeRawBufferPointer(rebasing: bytes[skipped...]))
                offset += bytes.count
            }
            guard whole.finish() == promised.sha256 else {
                throw .damaged(path: path, damage: .hash)
            }
            if name == modelFile && data.finish() != manifest.digest {
                throw .damaged(path: Self.manifestPath(path), damage: .manifest)
            }
        }
    }

    private static func manifestPath(_ sibling: String) -> String {
        folder(of: sibling) + "/" + manifestFile
    }
}
