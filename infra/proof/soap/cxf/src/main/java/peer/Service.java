package peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.CallbackHandler;

import jakarta.jws.WebService;
import jakarta.xml.ws.soap.SOAPBinding;
import org.apache.cxf.interceptor.Fault;
import org.apache.cxf.jaxws.JaxWsServerFactoryBean;
import org.apache.cxf.ws.security.wss4j.WSS4JInInterceptor;
import org.apache.wss4j.common.ConfigurationConstants;
import org.apache.wss4j.common.ext.WSPasswordCallback;
import peer.wsdl.EcoScore;
import peer.wsdl.Products;
import peer.wsdl.Result;
import peer.wsdl.Values;

/**
 * The service of docs/enrichment/products.wsdl, by Apache CXF. Interface and messages are generated from the document, and CXF
 * validates both ways against its schema. It answers at /soap11 and /soap12, and at /secured11 and /secured12 to the bearer of a
 * UsernameToken, on a free port that it prints. The keys tell how; see README.md.
 */
@WebService(endpointInterface = "peer.wsdl.Products", targetNamespace = "urn:etl-dataloader:enrichment:products:v1", serviceName = "Products")
public final class Service implements Products {
    public static void main(String[] arguments) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        String base = "http://127.0.0.1:" + port;
        for (var version : Map.of("11", SOAPBinding.SOAP11HTTP_BINDING, "12", SOAPBinding.SOAP12HTTP_BINDING).entrySet()) {
            publish(base + "/soap" + version.getKey(), version.getValue(), false);
            publish(base + "/secured" + version.getKey(), version.getValue(), true);
        }
        System.out.println(base);
    }

    private static void publish(String address, String binding, boolean secured) {
        var server = new JaxWsServerFactoryBean();
        server.setServiceBean(new Service());
        server.setAddress(address);
        server.setBindingId(binding);
        server.setProperties(new HashMap<>(Map.of("schema-validation-enabled", "BOTH")));
        if (secured) {
            CallbackHandler password = asked -> ((WSPasswordCallback) asked[0]).setPassword("p<&>ss");
            server.getInInterceptors().add(new WSS4JInInterceptor(new HashMap<>(Map.of(
                ConfigurationConstants.ACTION, ConfigurationConstants.USERNAME_TOKEN,
                ConfigurationConstants.PASSWORD_TYPE, "PasswordText",
                ConfigurationConstants.PW_CALLBACK_REF, password))));
        }
        server.create();
    }

    @Override
    public Result lookup(String key) {
        var result = new Result();
        result.setKey(key);
        switch (key) {
            case "fault-sender" -> {
                var fault = new Fault(new IllegalArgumentException("This key is wrong"));
                fault.setFaultCode(Fault.FAULT_CODE_CLIENT);
                throw fault;
            }
            case "fault-receiver" -> throw new IllegalStateException("The service failed");
            case "unknown" -> result.setFound(false);
            case "error" -> result.setError("unavailable");
            default -> {
                var values = new Values();
                boolean bare = key.equals("null");
                values.setBrand(bare ? null : "Lumière & <Fils>");
                values.setWeightG(bare ? 0 : 1250);
                values.setEcoScore(bare ? null : EcoScore.A);
                result.setFound(true);
                result.setValues(values);
            }
        }
        return result;
    }

    @Override
    public List<Result> lookupList(List<String> keys) {
        return keys.stream().map(this::lookup).toList();
    }
}
