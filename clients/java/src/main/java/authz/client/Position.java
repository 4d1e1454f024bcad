package authz.client;

/** How much a server has told or heard; only positions of one server have an order. */
public record Position(String server, long number) {}
