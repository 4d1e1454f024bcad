import authz.client.Caller;
import authz.client.Client;
import authz.client.Decision;
import authz.client.Decisions;
import authz.client.DeniedException;
import authz.client.Resource;

/** Asks which of two rows Ann may see. */
public final class Quickstart {
  public static void main(String... arguments) {
    try (Client client = Client.connect("unix:.dev/authz.sock")) {
      Caller ann = Caller.user("1").organization("1");
      Decisions answer =
          client.checkVisible(ann, Resource.of("cluster", "1"), Resource.of("cluster", "3"));
      for (Decision decision : answer) {
        System.out.println(decision.allowed() + " " + decision.reason());
      }
      answer.require();
    } catch (DeniedException denied) {
      System.out.println(denied.denial().httpStatus() + " " + denied.getMessage());
    }
  }
}
