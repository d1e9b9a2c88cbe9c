/// An error with the files of a run. Payloads only; `dtrain` makes the sentences.
package enum CheckpointError: Error, Equatable, Codable, Sendable {
    /// A system call failed; `code` is errno.
    case io(path: String, operation: SystemCall, code: Int32)
    /// The file ended before the bytes that its own description promises.
    case cutShort(path: String, expected: Int, found: Int)
    case safetensors(path: String, fault: SafetensorsFault)
    case noTensor(path: String, name: String)
    case tensorType(path: String, name: String, found: TensorType)
    /// A file that the manifest names is missing, has another size or another hash.
    case damaged(path: String, damage: Damage)
    /// The tensors are not those that the caller's layout names; `tensor` is the first that differs.
    case otherLayout(path: String, tensor: String)
    /// The writer was given more or fewer bytes than its entries have.
    case wrongLength(path: String, expected: Int, found: Int)
    /// Another coordinator holds the run folder; its process id, when the lock file tells it.
    case locked(path: String, holder: Int32?)
    /// The folder of a new run already holds something.
    case notEmpty(path: String)
    /// The folder that was to be written is there already, and not empty.
    case folderTaken(path: String)
    /// Something that is no link bears the name of the link to the newest run.
    case latestTaken(path: String)
    /// There is no run to resume in the folder.
    case noRun(path: String)
    /// A line of the ledger (counted from 1) is not what was once written.
    case ledger(path: String, line: Int, fault: LedgerFault)
    /// Something that was to be written has no form in JSON.
    case notEncodable(path: String)
    /// The run's counter of incarnations is used up.
    case incarnation(path: String)
    /// A newer version wrote this; `writer` is its name, where the files tell it.
    case newer(path: String, format: Int, known: Int, writer: String?)
    /// Another version of the arithmetic computed the run: going on would give other numbers.
    case otherArithmetic(path: String, theirs: Int, ours: Int, writer: String?)
    /// The run has been gone on with between the look at its files and the lock.
    case changed(path: String)
    /// A run with neither settings nor a whole checkpoint.
    case nothingLeft(path: String)

    /// Whether the same call may succeed later: when there is room, or the disk is back.
    package var mayPass: Bool { if case .io = self { true } else { false } }
    /// A file with a secret that everybody can read.
    case exposed(path: String)

    /// The kind of system call that failed.
    package enum SystemCall: String, Codable, Sendable {
        case open, read, write, status, synchronize, close, rename, remove, makeFolder
        case list, lock, link, truncate, freeSpace
    }

    /// The damage that a file of a checkpoint has.
    package enum Damage: Equatable, Codable, Sendable {
        case missing
        case size(expected: Int, found: Int)
        case hash
        case manifest
        case state
    }
}

/// The reason why bytes are not a safetensors file.
package enum SafetensorsFault: Equatable, Codable, Sendable {
    case headerLength(UInt64)
    case headerNotJSON
    case unknownType(tensor: String, type: String)
    case shape(tensor: String)
    case range(tensor: String)
    case gapOrOverlap(tensor: String)
    case trailingBytes(Int)
}

/// The reason why a line of the ledger is refused.
package enum LedgerFault: Equatable, Codable, Sendable {
    case checksum
    case notJSON
    case step(expected: Int, found: Int)
    /// A newer version wrote the line.
    case newer(format: Int)
}
