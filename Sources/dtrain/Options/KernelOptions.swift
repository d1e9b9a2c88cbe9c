import ArgumentParser
import Kernels

/// Which instructions this process and the workers that it starts compute with.
struct KernelOptions: ParsableArguments {
    private static let native = "native"
    private static let names = [native] + Instructions.allCases.map(\.rawValue)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Instructions to compute with; all give the same bits, the widest (native) sooner.",
            valueName: names.joined(separator: "|")), completion: .list(names))
    var kernel = KernelOptions.native

    /// Forces the instructions at once, before anything computes.
    func validate() throws {
        guard kernel != Self.native else { return }
        guard let instructions = Instructions(rawValue: kernel) else {
            let choices = Self.names.dropLast().joined(separator: ", ")
            throw ValidationError(
                "--kernel takes \(choices) or \(Self.names[Self.names.count - 1]), not '\(kernel)'")
        }
        guard instructions.isAvailable else {
            throw ValidationError(
                "--kernel \(kernel) is not for this processor, which has "
                    + Instructions.available.map(\.rawValue).joined(separator: " and "))
        }
        Instructions.force(instructions)
    }
}
