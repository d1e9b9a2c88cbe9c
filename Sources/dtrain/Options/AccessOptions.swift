import ArgumentParser
import Runtime

/// How a command that connects to a coordinator is let in.
struct AccessOptions: ParsableArguments {
    @Flag(help: "Accept that the link is plain text where it leaves this machine.")
    var insecure = false

    /// The address that `--connect` gives. Throws a usage failure.
    func coordinator(_ text: String) throws(Failure) -> Address {
        guard let address = Address(text), address.port > 0 else {
            throw .usage("--connect takes an address such as \(Address.standard), not '\(text)'")
        }
        guard insecure || address.isOfThisMachine else {
            throw .usage(
                """
                --connect \(address) leaves this machine, which is refused until links are \
                encrypted: use 127.0.0.1, [::1] or localhost, or --insecure
                """)
        }
        return address
    }
}
